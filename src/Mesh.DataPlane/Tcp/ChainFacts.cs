using System.Net;

namespace Mesh.DataPlane.Tcp;

/// <summary>What the conditions of filter chains are held to.</summary>
internal readonly record struct ChainFacts
{
    /// <summary>The port of the destination.</summary>
    public int Port { get; init; }

    /// <summary>The address of the destination; <see langword="null"/> when it has none yet.</summary>
    public IPAddress? Destination { get; init; }

    /// <summary>What the caller says first, where that is TLS and known.</summary>
    public ClientHello? Tls { get; init; }

    /// <summary>Who connects.</summary>
    public IPAddress? Source { get; init; }

    public int SourcePort { get; init; }

    /// <summary>Whether both ends are on one machine.</summary>
    public bool IsLocal { get; init; }
}
