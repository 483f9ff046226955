using System.Net;

namespace Mesh.DataPlane.Tcp;

/// <summary>Which connections a filter chain is for; what is empty or unset asks nothing.</summary>
internal sealed record TcpChainMatch
{
    public static TcpChainMatch Any { get; } = new();

    public uint? DestinationPort { get; init; }

    /// <summary>One of these has the destination.</summary>
    public IReadOnlyList<IPNetwork> Destinations { get; init; } = [];

    /// <summary>Names that TLS asks for, in lower case; <c>.example.com</c> stands for <c>*.example.com</c>.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary><c>tls</c> or <c>raw_buffer</c>.</summary>
    public string TransportProtocol { get; init; } = "";

    /// <summary>Protocols that TLS offers (ALPN).</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    public IReadOnlyList<IPNetwork> DirectSources { get; init; } = [];

    public SourceType Source { get; init; }

    public IReadOnlyList<IPNetwork> Sources { get; init; } = [];

    public IReadOnlyList<uint> SourcePorts { get; init; } = [];

    /// <summary>Whether it can only be told from the first bytes of a connection.</summary>
    public bool AsksForTls => ServerNames.Count > 0 || ApplicationProtocols.Count > 0 || TransportProtocol.Length > 0;

    internal enum SourceType
    {
        Any,

        /// <summary>From the destination's own machine.</summary>
        SameAddressOrLoopback,

        /// <summary>From anywhere else.</summary>
        External,
    }
}
