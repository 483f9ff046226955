using System.Text.Json.Nodes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.Filters;

namespace Mesh.Server.Identity;

/// <summary>What is known of the sender of a request with a token: the connection's peer, and what the token says.</summary>
internal sealed class RequestPeerFeature : MeshPeerFeature
{
    private const string Namespace = "envoy.filters.http.jwt_authn";

    private string? _principal;

    private RequestPeerFeature(ConnectionFacts facts, JsonObject claims)
        : base(facts) => Claims = claims;

    /// <summary>What the token says.</summary>
    public JsonObject Claims { get; }

    public override string? RequestPrincipal => _principal ??= Text(Claims["iss"]) is { } issuer && Text(Claims["sub"]) is { } subject ? $"{issuer}/{subject}" : null;

    /// <returns><see langword="null"/> when no token was verified.</returns>
    public static RequestPeerFeature? Of(ConnectionFacts facts, HttpExchange exchange)
        // Istio has the claims of the token that counts under this name.
        => exchange.ReadMetadata(Namespace)?["payload"] is JsonObject claims ? new RequestPeerFeature(facts, claims) : null;

    // Envoy normalises a claim to a list where it may be one.
    private static string? Text(JsonNode? node)
        => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node is JsonArray { Count: 1 } list ? Text(list[0]) : null;
}
