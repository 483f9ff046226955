using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>A name that a cluster asks for, however many of its endpoints have it.</summary>
internal sealed class DnsTarget(string host, DnsRefresh refresh)
{
    public string Host { get; } = host;

    public DnsRefresh Refresh { get; } = refresh;

    public ITimer? Timer { get; set; }

    /// <summary>Whether there has been an answer or a failure.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>The last good answer.</summary>
    public IReadOnlyList<IPAddress>? Addresses { get; set; }

    /// <summary>Why the last question was not answered.</summary>
    public string? Failure { get; set; }
}
