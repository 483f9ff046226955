using Google.Protobuf;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Inbound;

/// <summary>One filter chain: which connections it is for, how they are secured, who may pass, and what becomes of them.</summary>
/// <param name="Name">Its name, which may be empty.</param>
/// <param name="Match">Which connections it is for.</param>
/// <param name="Tls">How they are secured; <see langword="null"/> for plain text, and for TLS that is the application's own.</param>
/// <param name="NetworkFilters">Who may pass, in their order, before a byte is read.</param>
/// <param name="Http">What happens to their requests; <see langword="null"/> for a chain that passes connections on to the application as they are (<c>tcp_proxy</c>).</param>
/// <param name="HttpSource">The message that says so and the service that it is for, by which it is seen whether an update leaves that as it is.</param>
internal sealed record InboundFilterChain(
    string Name, TcpChainMatch Match, DownstreamTls? Tls, IReadOnlyList<NetworkFilter> NetworkFilters, InboundHttp? Http, (ByteString Message, ServiceNames? Service) HttpSource)
{
    /// <summary>The filters of connections, where one of them asks somebody: who passed others has not been asked by these.</summary>
    public ByteString? Asks { get; init; }

    /// <summary>The cluster that its <c>tcp_proxy</c> names; empty where there is none.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>What it and its listener say of signals of connections: of metrics where they are passed on as they are, of logs always.</summary>
    public SignalSettings Signals { get; init; } = SignalSettings.Default;
}
