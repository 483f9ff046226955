using System.Text.Json;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Mesh.Server.Tests.Inbound;
using Mesh.Xds.Tests.Jwt;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.Server.Tests.Admin;

/// <summary>Who would be let in, and by which policy.</summary>
public sealed class ExplainInboundTests
{
    private const string ProductPage = "spiffe://cluster.local/ns/default/sa/productpage";

    [Theory]
    [InlineData(ProductPage, "GET", "/reviews/0", true, "AuthorizationPolicy reviews-viewer in default, rule 0 allows it")]
    [InlineData(ProductPage, "POST", "/reviews/0", false, "no ALLOW policy is for it")]
    [InlineData("spiffe://cluster.local/ns/default/sa/ratings", "GET", "/reviews/0", false, "no ALLOW policy is for it")]
    public async Task The_policy_that_decides_is_named(string principal, string method, string path, bool isAllowed, string reason)
    {
        await using var app = await StartAsync();

        using var json = JsonDocument.Parse(await app.GetAsync($"/explain/inbound?principal={principal}&method={method}&path={path}"));

        json.RootElement.GetProperty("is_allowed").GetBoolean().ShouldBe(isAllowed);
        var filter = json.RootElement.GetProperty("filters")[0];
        filter.GetProperty("reason").GetString().ShouldBe(reason);
        var policy = filter.GetProperty("policies")[0];
        policy.GetProperty("operation_matches").GetBoolean().ShouldBe(method == "GET");
        policy.GetProperty("source_matches").GetBoolean().ShouldBe(principal == ProductPage);
    }

    [Theory]
    [InlineData("", false, "it asks for a token of testing@secure.istio.io, and there is none")]
    [InlineData("&claim=iss:testing@secure.istio.io", true, "it asks for a token of testing@secure.istio.io")]
    [InlineData("&claim=iss:somebody-else", false, "it asks for a token of testing@secure.istio.io, and this one is another")]
    public async Task A_rule_that_asks_for_a_token_is_told_and_one_can_be_supposed(string claim, bool isAllowed, string reason)
    {
        await using var app = await AdminApp.StartAsync();
        var jwt = new JwtAuthentication
        {
            Providers =
            {
                ["istio"] = new JwtProvider { Issuer = "testing@secure.istio.io", LocalJwks = new() { InlineString = TokenIssuer.KeySet(new TokenIssuer().EcKey()) }, PayloadInMetadata = "payload" },
            },
            Rules = { new RequirementRule { Match = new() { Prefix = "/" }, Requires = new() { ProviderName = "istio" } } },
        };
        var filter = new HttpFilter { Name = "envoy.filters.http.jwt_authn", TypedConfig = Any.Pack(jwt) };
        app.Inbound.Set(Listeners.Listener(app.Inbound.EndPoint, Listeners.Http("mesh", new(), null, filter)));

        using var json = JsonDocument.Parse(await app.GetAsync($"/explain/inbound?path=/reviews/0{claim}"));

        json.RootElement.GetProperty("is_allowed").GetBoolean().ShouldBe(isAllowed);
        json.RootElement.GetProperty("filters")[0].GetProperty("reason").GetString().ShouldBe(reason);
    }

    [Fact]
    public async Task A_port_that_the_mesh_does_not_cover_lets_everybody_in()
    {
        await using var app = await StartAsync();

        (await app.GetAsync("/explain/inbound?port=1&format=text")).ShouldStartWith("the mesh does not cover port 1: whoever reaches it is let in");
    }

    [Fact]
    public async Task Plain_text_meets_the_chain_that_is_for_it()
    {
        await using var app = await StartAsync();

        using var json = JsonDocument.Parse(await app.GetAsync("/explain/inbound?path=/reviews/0"));

        json.RootElement.GetProperty("verdict").GetString().ShouldBe("denied: no filter chain of the port is for plain text from there");
    }

    [Fact]
    public async Task Nothing_is_counted_and_nothing_is_logged()
    {
        await using var app = await StartAsync();

        await app.GetAsync("/explain/inbound?principal=spiffe://cluster.local/ns/default/sa/ratings&path=/reviews/0");

        app.Logs.Lines.ShouldNotContain(l => l.Contains("Denied", StringComparison.Ordinal));
        Exposition.Lines(app.Engine.Filters.Services.Metrics, "envoy_http_rbac").ShouldAllBe(line => line.EndsWith(" 0", StringComparison.Ordinal));
    }

    private static async Task<AdminApp> StartAsync()
    {
        var app = await AdminApp.StartAsync();
        var rules = new RBAC
        {
            Action = RBAC.Types.Action.Allow,
            Policies =
            {
                ["ns[default]-policy[reviews-viewer]-rule[0]"] = new Policy
                {
                    Permissions = { new Permission { Header = new() { Name = ":method", StringMatch = new() { Exact = "GET" } } } },
                    Principals = { new Principal { Authenticated = new() { PrincipalName = new() { Exact = ProductPage } } } },
                },
            },
        };
        var filter = new HttpFilter { Name = "envoy.filters.http.rbac", TypedConfig = Any.Pack(new HttpRbac { Rules = rules }) };
        app.Inbound.Set(Listeners.Listener(app.Inbound.EndPoint, Listeners.Http("mesh", new() { TransportProtocol = "tls" }, app.Inbound.Tls(), filter)));
        return app;
    }
}
