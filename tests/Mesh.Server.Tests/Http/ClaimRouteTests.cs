using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Tests.Jwt;

namespace Mesh.Server.Tests.Http;

/// <summary>Routes of an inbound listener that look at what tokens have said.</summary>
public sealed class ClaimRouteTests : IDisposable
{
    private const string Jwt = "envoy.filters.http.jwt_authn";

    private readonly TokenIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task Only_who_has_the_claim_comes_in()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            Authenticate(m, _issuer);
            m.RouteConfig.VirtualHosts[0].Routes.Clear();
            m.RouteConfig.VirtualHosts[0].Routes.Add(new Route { Match = Claim("/", invert: false), NonForwardingAction = new() });
            m.RouteConfig.VirtualHosts[0].Routes.Add(Denied(new RouteMatch { Prefix = "/" }));
        });

        (await host.SendAsync("/", Bearer("""["staff","admins"]"""))).Status.ShouldBe(200);
        (await host.SendAsync("/", Bearer("\"admins\""))).Status.ShouldBe(200);
        (await host.SendAsync("/", Bearer("\"staff\""))).Status.ShouldBe(403);
        (await host.SendAsync("/")).Status.ShouldBe(403);
        (await host.SendAsync("/", ("authorization", "Bearer " + _issuer.Sign(TokenIssuer.Claims(("groups", "admins"))) + "x"))).Status.ShouldBe(401);
        (await host.SendAsync("/", ("@request.auth.claims.groups", "admins"))).Status.ShouldNotBe(200);
        host.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Who_comes_without_a_token_comes_without_the_claim()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            Authenticate(m, _issuer);
            m.RouteConfig.VirtualHosts[0].Routes.Insert(0, Denied(Claim("/", invert: true)));
        });

        (await host.SendAsync("/", Bearer("\"admins\""))).Status.ShouldBe(200);
        (await host.SendAsync("/", Bearer("\"staff\""))).Status.ShouldBe(403);
        (await host.SendAsync("/")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_path_that_means_two_routes_by_what_the_token_says_is_refused()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            Authenticate(m, _issuer);
            m.RouteConfig.VirtualHosts[0].Routes.Insert(0, Denied(Claim("/private", invert: false)));
        });

        (await host.SendAsync("/private", Bearer("\"admins\""))).Status.ShouldBe(403);
        (await host.SendAsync("/x/%2e%2e/private", Bearer("\"admins\""))).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(400), a => a.Body.ShouldStartWith("the path means one route"));
        (await host.SendAsync("/x/%2e%2e/private", Bearer("\"staff\""))).Status.ShouldBe(200);
        host.Requests.Count.ShouldBe(1);
    }

    private static void Authenticate(HttpConnectionManager manager, TokenIssuer issuer)
        => manager.HttpFilters.Insert(0, new HttpFilter
        {
            Name = Jwt,
            TypedConfig = Any.Pack(new JwtAuthentication
            {
                Providers =
                {
                    ["p"] = new JwtProvider
                    {
                        Issuer = "issuer",
                        LocalJwks = new DataSource { InlineString = TokenIssuer.KeySet(issuer.RsaKey()) },
                        PayloadInMetadata = "payload",
                        ClearRouteCache = true,
                    },
                },
                Rules =
                {
                    new RequirementRule
                    {
                        Match = new RouteMatch { Prefix = "/" },
                        Requires = new JwtRequirement
                        {
                            RequiresAny = new JwtRequirementOrList { Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { AllowMissing = new Empty() } } },
                        },
                    },
                },
            }),
        });

    private static RouteMatch Claim(string prefix, bool invert)
    {
        var text = new ValueMatcher { StringMatch = new StringMatcher { Exact = "admins" } };
        return new RouteMatch
        {
            Prefix = prefix,
            DynamicMetadata =
            {
                new MetadataMatcher
                {
                    Filter = Jwt,
                    Path = { new MetadataMatcher.Types.PathSegment { Key = "payload" }, new MetadataMatcher.Types.PathSegment { Key = "groups" } },
                    Value = new ValueMatcher { OrMatch = new OrMatcher { ValueMatchers = { new ValueMatcher { ListMatch = new ListMatcher { OneOf = text } }, text } } },
                    Invert = invert,
                },
            },
        };
    }

    private static Route Denied(RouteMatch match) => new() { Match = match, DirectResponse = new DirectResponseAction { Status = 403 } };

    private (string Name, string Value) Bearer(string groups)
        => ("authorization", "Bearer " + _issuer.Sign(TokenIssuer.Claims(("groups", System.Text.Json.Nodes.JsonNode.Parse(groups)))));
}
