using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>What a look-up came to: addresses, the answer that there are none, or a failure that says nothing about the name.</summary>
/// <param name="Addresses">In the order of the answer, each once.</param>
/// <param name="TimeToLive">How long the answer holds, also that of an answer without addresses; unset when its source knows no such thing.</param>
/// <param name="Failure">Why there is no answer; unset when there is one.</param>
internal sealed record DnsResolution(IReadOnlyList<IPAddress> Addresses, TimeSpan? TimeToLive, string? Failure)
{
    public static DnsResolution Failed(string reason) => new([], null, reason);

    public static DnsResolution Of(IEnumerable<IPAddress> addresses, TimeSpan? timeToLive = null) => new([.. addresses.Distinct()], timeToLive, null);
}
