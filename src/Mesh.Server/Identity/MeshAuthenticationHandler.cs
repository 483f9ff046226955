using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Identity;

/// <summary>
/// Makes the user of a request of what the mesh has verified already: the workload by its certificate, and whoever it acts for by the token. There is
/// nothing to challenge with: a workload without a certificate can only come back with one.
/// </summary>
internal sealed class MeshAuthenticationHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var peer = Context.Features.Get<IMeshPeerFeature>();
        var user = new ClaimsPrincipal();

        // The token's first: whom a request is for counts before who has passed it on.
        if (peer is RequestPeerFeature { Claims: var claims })
        {
            user.AddIdentity(OfToken(claims, peer.RequestPrincipal));
        }

        if (peer?.Identity is { } workload)
        {
            user.AddIdentity(OfWorkload(workload));
        }

        return Task.FromResult(user.Identity is null ? AuthenticateResult.NoResult() : AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name)));
    }

    private ClaimsIdentity OfWorkload(SpiffeId id)
    {
        var identity = new ClaimsIdentity(Scheme.Name, MeshClaimTypes.SourcePrincipal, ClaimTypes.Role);
        Add(MeshClaimTypes.SourcePrincipal, id.TrustDomain + id.Path);
        Add(MeshClaimTypes.SourceTrustDomain, id.TrustDomain);
        if (id is { Namespace: { } ns, ServiceAccount: { } account })
        {
            Add(MeshClaimTypes.SourceNamespace, ns);
            Add(MeshClaimTypes.SourceServiceAccount, $"{ns}/{account}");
        }

        return identity;

        void Add(string type, string value) => identity.AddClaim(new Claim(type, value, ClaimValueTypes.String, id.TrustDomain));
    }

    private ClaimsIdentity OfToken(JsonObject claims, string? principal)
    {
        var identity = new ClaimsIdentity(Scheme.Name, "sub", "roles");
        var issuer = claims["iss"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : ClaimsIdentity.DefaultIssuer;
        if (principal is not null)
        {
            identity.AddClaim(new Claim(MeshClaimTypes.RequestPrincipal, principal, ClaimValueTypes.String, issuer));
        }

        foreach (var (name, node) in claims)
        {
            // Whoever may have tokens signed could otherwise say which workload sent the request.
            if (MeshClaimTypes.AreOfMesh(name))
            {
                continue;
            }

            foreach (var item in node is JsonArray list ? [.. list] : new[] { node })
            {
                if (item is not null)
                {
                    identity.AddClaim(ClaimOf(name, item, issuer));
                }
            }
        }

        return identity;
    }

    private static Claim ClaimOf(string name, JsonNode node, string issuer)
        => node.GetValueKind() switch
        {
            JsonValueKind.String => new Claim(name, node.GetValue<string>(), ClaimValueTypes.String, issuer),
            JsonValueKind.True or JsonValueKind.False => new Claim(name, node.ToJsonString(), ClaimValueTypes.Boolean, issuer),
            JsonValueKind.Number => new Claim(name, node.ToJsonString(), node.ToJsonString().Contains('.', StringComparison.Ordinal) ? ClaimValueTypes.Double : ClaimValueTypes.Integer64, issuer),
            _ => new Claim(name, node.ToJsonString(), "JSON", issuer),
        };
}
