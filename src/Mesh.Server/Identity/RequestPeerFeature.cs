using System.Text.Json.Nodes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.Filters;

namespace Mesh.Server.Identity;

/// <summary>What is known of the sender of a request with a token: the connection's peer, and what the token says.</summary>
internal sealed class RequestPeerFeature : MeshPeerFeature
{
    private const string Namespace = "envoy.filters.http.jwt_authn";

    private RequestPeerFeature(ConnectionFacts facts, JsonObject claims, string? principal)
        : base(facts) => (Claims, RequestPrincipal) = (claims, principal);

    /// <summary>What the token says.</summary>
    public JsonObject Claims { get; }

    public override string? RequestPrincipal { get; }

    /// <returns><see langword="null"/> when no token was verified.</returns>
    public static RequestPeerFeature? Of(ConnectionFacts facts, HttpExchange exchange)
    {
        // Istio has the claims of the token that counts under this name.
        if (exchange.ReadMetadata(Namespace)?["payload"] is not JsonObject claims)
        {
            return null;
        }

        var (issuer, subject) = (Text(claims["iss"]), Text(claims["sub"]));
        return new RequestPeerFeature(facts, claims, issuer is null || subject is null ? null : $"{issuer}/{subject}");
    }

    // Envoy normalises a claim to a list where it may be one.
    private static string? Text(JsonNode? node)
        => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node is JsonArray { Count: 1 } list ? Text(list[0]) : null;
}
