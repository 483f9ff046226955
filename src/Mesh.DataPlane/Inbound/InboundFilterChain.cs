using Google.Protobuf;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Inbound;

/// <summary>One filter chain: which connections it is for, how they are secured, who may pass, and what becomes of them.</summary>
/// <param name="Name">Its name, which may be empty.</param>
/// <param name="Match">Which connections it is for.</param>
/// <param name="Tls">How they are secured; <see langword="null"/> for plain text, and for TLS that is the application's own.</param>
/// <param name="NetworkFilters">Who may pass, in their order, before a byte is read.</param>
/// <param name="Http">What happens to their requests; <see langword="null"/> for a chain that passes connections on to the application as they are (<c>tcp_proxy</c>).</param>
/// <param name="HttpSource">The message that says so, by which it is seen whether an update leaves that as it is.</param>
internal sealed record InboundFilterChain(
    string Name, TcpChainMatch Match, DownstreamTls? Tls, IReadOnlyList<NetworkFilter> NetworkFilters, InboundHttp? Http, ByteString HttpSource);
