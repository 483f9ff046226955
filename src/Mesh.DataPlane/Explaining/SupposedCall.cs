using System.Net;

namespace Mesh.DataPlane.Explaining;

/// <summary>A request that might come in by a port of this process.</summary>
/// <param name="Port">The port; 0 stands for the only one that is covered.</param>
/// <param name="Principal">Who calls by mutual TLS: <c>spiffe://cluster.local/ns/default/sa/productpage</c>; <see langword="null"/> for plain text.</param>
/// <param name="Request">The request.</param>
internal sealed record SupposedCall(int Port, string? Principal, SupposedRequest Request)
{
    /// <summary>Where the caller is.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The claims of a token that it brings, which is taken for a good one; <see langword="null"/> for none. <c>iss</c> names the issuer.</summary>
    public System.Text.Json.Nodes.JsonObject? Claims { get; init; }
}
