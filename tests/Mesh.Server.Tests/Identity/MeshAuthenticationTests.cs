using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Identity;
using Mesh.Server.Tests.Inbound;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Identity;

/// <summary>What the mesh has verified is the user of a request.</summary>
public sealed class MeshAuthenticationTests
{
    [Fact]
    public async Task Policies_see_the_workload_and_who_has_proven_nothing_is_unauthorized()
    {
        await using var app = await StartAsync();
        app.SetPermissive();
        using var mesh = MeshCaller.Secure(app.Port, app.Workload("productpage"), "istio-http/1.1");
        using var other = MeshCaller.Secure(app.Port, app.Workload("other"), "istio-http/1.1");
        using var plain = MeshCaller.Plain(app.Port);

        (await mesh.GetStringAsync("/only-productpage")).ShouldBe("cluster.local/ns/default/sa/productpage|default|default/productpage|cluster.local");
        (await other.GetAsync("/only-productpage")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await plain.GetAsync("/only-productpage")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Policies_see_whom_the_token_is_for_beside_the_workload()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var app = await StartAsync();
        var listener = Listeners.Strict(app.EndPoint, app.Tls());
        RequireToken(listener.FilterChains[0], key);
        app.Set(listener);
        using var client = MeshCaller.Secure(app.Port, app.Workload("productpage"), "istio-http/1.1");

        using var request = new HttpRequestMessage(HttpMethod.Get, "/user");
        request.Headers.Authorization = new("Bearer", Token(key, """{"iss":"https://issuer.example","sub":"alice","groups":["admins","staff"],"exp":4102444800,"email_verified":true}"""));
        using var response = await client.SendAsync(request);

        (await response.Content.ReadAsStringAsync()).ShouldBe("alice|https://issuer.example/alice|admins,staff|true|cluster.local/ns/default/sa/productpage|https://issuer.example/alice");
        using var without = await client.GetAsync("/user");
        (await without.Content.ReadAsStringAsync()).ShouldBe("cluster.local/ns/default/sa/productpage||||cluster.local/ns/default/sa/productpage|", "the next request on the connection has no token");
    }

    [Fact]
    public async Task A_token_cannot_say_which_workload_has_sent_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var app = await StartAsync();
        var listener = Listeners.Strict(app.EndPoint, app.Tls());
        RequireToken(listener.FilterChains[0], key);
        app.Set(listener);
        using var client = MeshCaller.Secure(app.Port, app.Workload("other"), "istio-http/1.1");

        using var request = new HttpRequestMessage(HttpMethod.Get, "/only-productpage");
        request.Headers.Authorization = new("Bearer", Token(key, """{"iss":"https://issuer.example","sub":"mallory","source.serviceAccount":"default/productpage","Source.ServiceAccount":"default/productpage","exp":4102444800}"""));
        using var response = await client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static Task<InboundApp> StartAsync()
        => InboundApp.StartAsync(
            before: b =>
            {
                b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
                b.Services.AddAuthentication().AddMesh();
                b.Services.AddAuthorizationBuilder().AddPolicy("productpage", p => p.RequireClaim(MeshClaimTypes.SourceServiceAccount, "default/productpage"));
            },
            pipeline: app =>
            {
                app.MapGet("/only-productpage", (ClaimsPrincipal user) => string.Join('|', new[] { MeshClaimTypes.SourcePrincipal, MeshClaimTypes.SourceNamespace, MeshClaimTypes.SourceServiceAccount, MeshClaimTypes.SourceTrustDomain }
                    .Select(type => user.FindFirstValue(type)))).RequireAuthorization("productpage");
                app.MapGet("/user", (ClaimsPrincipal user, HttpContext context) => string.Join(
                    '|',
                    user.Identity!.Name,
                    user.FindFirstValue(MeshClaimTypes.RequestPrincipal),
                    string.Join(',', user.FindAll("groups").Select(c => c.Value)),
                    user.FindFirstValue("email_verified"),
                    user.FindFirstValue(MeshClaimTypes.SourcePrincipal),
                    context.Features.Get<IMeshPeerFeature>()!.RequestPrincipal)).RequireAuthorization();
            });

    private static void RequireToken(FilterChain chain, ECDsa key)
    {
        var manager = chain.Filters[0].TypedConfig.Unpack<HttpConnectionManager>();
        var point = key.ExportParameters(false).Q;
        var config = new JwtAuthentication
        {
            Providers =
            {
                ["p"] = new JwtProvider
                {
                    Issuer = "https://issuer.example",
                    PayloadInMetadata = "payload",
                    LocalJwks = new DataSource { InlineString = $$"""{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","x":"{{Base64Url(point.X!)}}","y":"{{Base64Url(point.Y!)}}"}]}""" },
                },
            },
            Rules =
            {
                new RequirementRule
                {
                    Match = new RouteMatch { Prefix = "/" },
                    Requires = new JwtRequirement
                    {
                        RequiresAny = new JwtRequirementOrList
                        {
                            Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { AllowMissing = new Empty() } },
                        },
                    },
                },
            },
        };
        manager.HttpFilters.Insert(0, new HttpFilter { Name = "envoy.filters.http.jwt_authn", TypedConfig = Any.Pack(config) });
        chain.Filters[0].TypedConfig = Any.Pack(manager);
    }

    private static string Token(ECDsa key, string claims)
    {
        var signed = Base64Url("""{"alg":"ES256"}"""u8.ToArray()) + "." + Base64Url(Encoding.UTF8.GetBytes(claims));
        return signed + "." + Base64Url(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));
    }

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
