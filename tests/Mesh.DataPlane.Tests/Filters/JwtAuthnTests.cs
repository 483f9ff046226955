using Microsoft.Extensions.DependencyInjection;
using Mesh.Xds.Metrics;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Mesh.Xds.Tests.Jwt;
using Empty = Google.Protobuf.WellKnownTypes.Empty;
using JwtAuthnCompiler = Mesh.DataPlane.Filters.JwtAuthn.JwtAuthnCompiler;
using ListMatcher = Envoy.Type.Matcher.V3.ListMatcher;
using MetadataMatcher = Envoy.Type.Matcher.V3.MetadataMatcher;
using OrMatcher = Envoy.Type.Matcher.V3.OrMatcher;
using StringMatcher = Envoy.Type.Matcher.V3.StringMatcher;
using ValueMatcher = Envoy.Type.Matcher.V3.ValueMatcher;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class JwtAuthnTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.jwt_authn";

    private readonly FilterMesh _mesh = new();
    private readonly TokenIssuer _issuer = new();

    public async ValueTask DisposeAsync()
    {
        _issuer.Dispose();
        await _mesh.DisposeAsync();
    }

    [Fact]
    public async Task A_good_token_passes_and_is_taken_off_unless_it_is_to_be_forwarded()
    {
        Listen(Require(Provider()));
        (await Get(_issuer.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Received[^1].Headers.ContainsKey("Authorization").ShouldBeFalse();

        Listen(Require(Provider(p => p.Forward = true)));
        (await Get(_issuer.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Received[^1].Headers["Authorization"].ShouldStartWith("Bearer ");
    }

    [Fact]
    public async Task What_tokens_were_worth_is_counted()
    {
        Listen(Require(Provider()));
        var token = _issuer.Sign(TokenIssuer.Claims());
        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(token[..^2])).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        var registry = _mesh.Services.GetRequiredService<MetricRegistry>();
        double Count(string name) => Exposition.Value(registry, $"envoy_http_jwt_authn_{name}{{envoy_http_conn_manager_prefix=\"test\"}}");
        (Count("allowed"), Count("denied"), Count("jwt_cache_hit"), Count("jwt_cache_miss")).ShouldBe((2, 2, 1, 2));
    }

    [Fact]
    public async Task No_token_is_401_and_the_challenge_names_no_error()
    {
        Listen(Require(Provider()));

        var response = await _mesh.GetAsync("/orders?access=all");

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await response.Text()).ShouldBe("Jwt is missing");
        response.Header("www-authenticate").ShouldBe("Bearer realm=\"http://reviews:9080/orders\"");
        response.Details().ShouldBe("jwt_authn_access_denied{Jwt_is_missing}");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bad_token_is_401_and_told_why()
    {
        Listen(Require(Provider()));
        var good = _issuer.Sign(TokenIssuer.Claims());
        var now = _mesh.Time.GetUtcNow().ToUnixTimeSeconds();
        using var stranger = new TokenIssuer();
        foreach (var (token, text) in new[]
        {
            ("nonsense", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"),
            (good[..^2], "Jwt verification fails"),
            (stranger.Sign(TokenIssuer.Claims()), "Jwt verification fails"),
            (_issuer.Sign(TokenIssuer.Claims(("iss", "other"))), "Jwt issuer is not configured"),
            (_issuer.Sign(TokenIssuer.Claims(("exp", now - 61))), "Jwt is expired"),
            (_issuer.Sign(TokenIssuer.Claims(("nbf", now + 61))), "Jwt not yet valid"),
            (_issuer.Sign(TokenIssuer.Claims(), "HS256"), "Jwt verification fails"),
            (_issuer.Sign(TokenIssuer.Claims(), "none"), "Jwt header [alg] is not supported"),
        })
        {
            var response = await Get(token);

            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, text);
            (await response.Text()).ShouldBe(text);
            response.Header("www-authenticate").ShouldBe("Bearer realm=\"http://reviews:9080/\", error=\"invalid_token\"");
        }

        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_token_for_somebody_else_is_403()
    {
        Listen(Require(Provider(p => p.Audiences.Add("https://shop.example/"))));

        (await Get(_issuer.Sign(TokenIssuer.Claims(("aud", "shop.example"))))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(_issuer.Sign(TokenIssuer.Claims(("aud", new JsonArray("bank", "http://shop.example")))))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var response = await Get(_issuer.Sign(TokenIssuer.Claims(("aud", "bank"))));

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Text()).ShouldBe("Audiences in Jwt are not allowed");
        (await Get(_issuer.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_token_that_was_good_is_not_any_more_when_it_has_expired()
    {
        Listen(Require(Provider()));
        var token = _issuer.Sign(TokenIssuer.Claims(("exp", _mesh.Time.GetUtcNow().ToUnixTimeSeconds() + 100)));

        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Time.Advance(TimeSpan.FromSeconds(161));
        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_that_was_good_is_verified_again_when_the_keys_have_changed()
    {
        Listen(Require(Provider()));
        var token = _issuer.Sign(TokenIssuer.Claims());
        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var other = new TokenIssuer();
        Listen(Require(Provider(p => p.LocalJwks = Keys(other))));

        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Every_token_of_a_request_has_to_be_good()
    {
        Listen(Require(Provider()));
        var good = _issuer.Sign(TokenIssuer.Claims());

        (await _mesh.GetAsync($"/?access_token={good}", ("Authorization", "Bearer " + good))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.GetAsync($"/?access_token={good}", ("Authorization", "Bearer bad"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _mesh.GetAsync("/?access_token=bad", ("Authorization", "Bearer " + good))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Tokens_are_found_where_the_provider_says()
    {
        Listen(Require(Provider(p =>
        {
            p.FromHeaders.Add(new JwtHeader { Name = "X-Jwt", ValuePrefix = "jwt=" });
            p.FromParams.Add("token");
            p.FromCookies.Add("session");
        })));
        var token = _issuer.Sign(TokenIssuer.Claims());

        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _mesh.GetAsync("/", ("X-Jwt", $"v1 jwt={token}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.GetAsync("/", ("Cookie", $"a=b; session={token}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.GetAsync($"/p?a=%20b&token={token}&c")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Received[^1].Path.ShouldBe("/p?a=%20b&c");
    }

    [Fact]
    public async Task A_request_without_a_token_may_pass_but_never_one_with_a_bad_token()
    {
        Listen(Require(Provider(), new JwtRequirement
        {
            RequiresAny = new JwtRequirementOrList { Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { AllowMissing = new Empty() } } },
        }));

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(_issuer.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get("bad")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await (await Get(_issuer.Sign(TokenIssuer.Claims(("iss", "other"))))).Text()).ShouldBe("Jwt issuer is not configured");
    }

    [Fact]
    public async Task Of_several_issuers_one_will_do_and_of_their_failures_the_one_is_told_that_says_most()
    {
        using var second = new TokenIssuer();
        var authentication = Require(Provider(), new JwtRequirement
        {
            RequiresAny = new JwtRequirementOrList { Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { ProviderName = "q" } } },
        });
        authentication.Providers["q"] = new JwtProvider { Issuer = "second", LocalJwks = Keys(second) };
        Listen(authentication);

        (await Get(second.Sign(TokenIssuer.Claims(("iss", "second"))))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(_issuer.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await (await Get(_issuer.Sign(TokenIssuer.Claims(("iss", "second"))))).Text()).ShouldBe("Jwt verification fails");
        (await (await _mesh.GetAsync()).Text()).ShouldBe("Jwt is missing");
    }

    [Fact]
    public async Task What_a_token_says_reaches_the_service_and_nobody_else_can_say_it()
    {
        Listen(Require(
            Provider(p =>
            {
                p.ForwardPayloadHeader = "x-payload";
                p.PadForwardPayloadHeader = true;
                p.ClaimToHeaders.Add(new JwtClaimToHeader { HeaderName = "x-sub", ClaimName = "sub" });
                p.ClaimToHeaders.Add(new JwtClaimToHeader { HeaderName = "x-level", ClaimName = "account.level" });
                p.ClaimToHeaders.Add(new JwtClaimToHeader { HeaderName = "x-groups", ClaimName = "groups" });
                p.ClaimToHeaders.Add(new JwtClaimToHeader { HeaderName = "x-evil", ClaimName = "evil" });
            }),
            new JwtRequirement { RequiresAny = new JwtRequirementOrList { Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { AllowMissing = new Empty() } } } }));

        await Get(_issuer.Sign(TokenIssuer.Claims(("account", new JsonObject { ["level"] = 3 }), ("groups", new JsonArray("a")), ("evil", "a\r\nx-admin: 1"))));

        var headers = _mesh.Received[^1].Headers;
        headers["x-sub"].ShouldBe("somebody");
        headers["x-level"].ShouldBe("3");
        Encoding.UTF8.GetString(Convert.FromBase64String(headers["x-groups"])).ShouldBe("[\"a\"]");
        headers.ContainsKey("x-evil").ShouldBeFalse();
        headers.ContainsKey("x-admin").ShouldBeFalse();
        JsonNode.Parse(Convert.FromBase64String(headers["x-payload"].Replace('-', '+').Replace('_', '/')))!["sub"]!.GetValue<string>().ShouldBe("somebody");

        await _mesh.GetAsync("/", ("x-sub", "admin"), ("x-payload", "e30="));
        _mesh.Received[^1].Headers.ContainsKey("x-sub").ShouldBeFalse();
        _mesh.Received[^1].Headers.ContainsKey("x-payload").ShouldBeFalse();
    }

    [Fact]
    public async Task Claims_may_route()
    {
        Listen(Require(Provider(p =>
        {
            p.ClearRouteCache = true;
            p.ClaimToHeaders.Add(new JwtClaimToHeader { HeaderName = "x-sub", ClaimName = "sub" });
        })));
        _mesh.AddCluster("tester", 7);
        var forTesters = Resources.Prefix("/", "tester");
        forTesters.Match.Headers.Add(new HeaderMatcher { Name = "x-sub", StringMatch = new StringMatcher { Exact = "tester" } });
        _mesh.Route(forTesters, Resources.Prefix("/", "v1"));

        await Get(_issuer.Sign(TokenIssuer.Claims(("sub", "tester"))));
        await _mesh.GetAsync("/", ("x-sub", "tester"), ("Authorization", "Bearer " + _issuer.Sign(TokenIssuer.Claims())));

        _mesh.Received.Select(r => r.Cluster).ShouldBe(["tester", "v1"]);
    }

    [Theory]
    [InlineData("""{"role":"tester"}""", "tester")]
    [InlineData("""{"role":["a","tester"]}""", "tester")]
    [InlineData("""{"role":"somebody"}""", "v1")]
    [InlineData("""{"role":["somebody"]}""", "v1")]
    [InlineData("""{"role":{"tester":1}}""", "v1")]
    [InlineData("""{}""", "v1")]
    [InlineData(null, "v1")]
    public async Task Routes_may_ask_for_a_claim(string? claims, string cluster)
    {
        Listen(Require(Provider(p => (p.ClearRouteCache, p.PayloadInMetadata) = (true, "payload")), Optional()));
        _mesh.AddCluster("tester", 7);
        _mesh.Route(ForClaim("tester", "tester"), Resources.Prefix("/", "v1"));

        await GetWith(claims);

        _mesh.Received[^1].Cluster.ShouldBe(cluster);
    }

    [Theory]
    [InlineData("""{"role":"tester"}""", "v1")]
    [InlineData("""{"role":"somebody"}""", "others")]
    [InlineData(null, "others")]
    public async Task Routes_may_ask_for_no_such_claim(string? claims, string cluster)
    {
        Listen(Require(Provider(p => (p.ClearRouteCache, p.PayloadInMetadata) = (true, "payload")), Optional()));
        _mesh.AddCluster("others", 7);
        var others = ForClaim("tester", "others");
        others.Match.DynamicMetadata[0].Invert = true;
        _mesh.Route(others, Resources.Prefix("/", "v1"));

        await GetWith(claims);

        _mesh.Received[^1].Cluster.ShouldBe(cluster);
    }

    [Fact]
    public async Task What_a_token_says_routes_nothing_unless_the_route_is_looked_for_anew()
    {
        Listen(Require(Provider(p => p.PayloadInMetadata = "payload"), Optional()));
        _mesh.AddCluster("tester", 7);
        _mesh.Route(ForClaim("tester", "tester"), Resources.Prefix("/", "v1"));

        await GetWith("""{"role":"tester"}""");

        _mesh.Received[^1].Cluster.ShouldBe("v1");
    }

    [Fact]
    public async Task Rules_and_routes_say_what_is_required_where()
    {
        var authentication = Require(Provider(), new JwtRequirement { ProviderName = "p" }, "/orders");
        authentication.RequirementMap["strict"] = new JwtRequirement { ProviderName = "p" };
        Listen(authentication);
        var disabled = Route("/orders/public", new PerRouteConfig { Disabled = true });
        var strict = Route("/admin", new PerRouteConfig { RequirementName = "strict" });
        var wrong = Route("/wrong", new PerRouteConfig { RequirementName = "other" });
        _mesh.Route(disabled, strict, wrong, Resources.Prefix("/", "v1"));

        (await _mesh.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.GetAsync("/orders")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _mesh.GetAsync("/orders/public")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.GetAsync("/admin")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var response = await _mesh.GetAsync("/wrong");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Text()).ShouldBe("Failed JWT authentication: Wrong requirement_name: other. It should be one of [strict]");
    }

    [Fact]
    public async Task Lifetime_and_subject_may_be_limited()
    {
        var now = _mesh.Time.GetUtcNow().ToUnixTimeSeconds();
        Listen(Require(Provider(p =>
        {
            p.MaxLifetime = Duration.FromTimeSpan(TimeSpan.FromHours(1));
            p.Subjects = new StringMatcher { Prefix = "spiffe://" };
        })));

        (await Get(_issuer.Sign(TokenIssuer.Claims(("sub", "spiffe://a"), ("exp", now + 3600))))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(_issuer.Sign(TokenIssuer.Claims(("sub", "spiffe://a"), ("exp", now + 3601))))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await Get(_issuer.Sign(TokenIssuer.Claims(("sub", "spiffe://a"))))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await Get(_issuer.Sign(TokenIssuer.Claims(("sub", "somebody"), ("exp", now + 3600))))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Preflight_requests_may_pass()
    {
        var authentication = Require(Provider());
        authentication.BypassCorsPreflight = true;
        Listen(authentication);

        (await _mesh.SendAsync(HttpMethod.Options, "/", ("Origin", "https://a"), ("Access-Control-Request-Method", "PUT"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _mesh.SendAsync(HttpMethod.Options, "/", ("Origin", "https://a"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_refusal_may_say_nothing()
    {
        var authentication = Require(Provider());
        authentication.StripFailureResponse = true;
        Listen(authentication);

        var response = await Get("bad");

        (await response.Text()).ShouldBe("");
        response.Header("www-authenticate").ShouldBeNull();
    }

    [Fact]
    public async Task A_grpc_caller_gets_unauthenticated()
    {
        Listen(Require(Provider()));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        var response = await _mesh.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Header("grpc-status").ShouldBe("16");
    }

    [Fact]
    public void What_is_not_honoured_is_refused()
    {
        foreach (var (change, path) in new (Action<JwtAuthentication>, string)[]
        {
            (a => a.FilterStateRules = new FilterStateRule(), "filter_state_rules"),
            (a => a.Rules[0].Match = ForClaim("a", "b").Match, "rules[0].match.dynamic_metadata"),
            (a => a.Rules[0].Requires.ProviderName = "other", "rules[0].requires.provider_name"),
            (a => a.Rules[0].RequirementName = "other", "rules[0].requirement_name"),
            (a => a.Rules[0].Requires = new JwtRequirement { ExtractOnlyWithoutValidation = new ExtractOnlyWithoutValidation() }, "rules[0].requires"),
            (a => a.Providers["p"].LocalJwks = new DataSource { InlineString = "{}" }, "providers[p].local_jwks"),
            (a => a.Providers["p"].LocalJwks = new DataSource { Filename = "/no/such/file" }, "providers[p].local_jwks.filename"),
            (a => a.Providers["p"].RemoteJwks = new RemoteJwks(), "providers[p].remote_jwks"),
            (a => a.Providers["p"].ClearJwksSourceSpecifier(), "providers[p]"),
        })
        {
            var authentication = Require(Provider());
            change(authentication);

            Should.Throw<ResourceRejectedException>(() => JwtAuthnCompiler.Compile(authentication, "", []))
                .Message.ShouldContain(path);
        }
    }

    private static JwtRequirement Optional() => new()
    {
        RequiresAny = new JwtRequirementOrList { Requirements = { new JwtRequirement { ProviderName = "p" }, new JwtRequirement { AllowMissing = new Empty() } } },
    };

    private static Route ForClaim(string value, string cluster)
    {
        var route = Resources.Prefix("/", cluster);
        var text = new ValueMatcher { StringMatch = new StringMatcher { Exact = value } };
        route.Match.DynamicMetadata.Add(new MetadataMatcher
        {
            Filter = Name,
            Path = { new MetadataMatcher.Types.PathSegment { Key = "payload" }, new MetadataMatcher.Types.PathSegment { Key = "role" } },
            Value = new ValueMatcher { OrMatch = new OrMatcher { ValueMatchers = { new ValueMatcher { ListMatch = new ListMatcher { OneOf = text } }, text } } },
        });
        return route;
    }

    private Task<HttpResponseMessage> GetWith(string? claims)
    {
        if (claims is null)
        {
            return _mesh.GetAsync("/");
        }

        var all = JsonNode.Parse(claims)!.AsObject();
        all["iss"] = "issuer";
        return Get(_issuer.Sign(all));
    }

    private static Route Route(string prefix, PerRouteConfig config)
    {
        var route = Resources.Prefix(prefix, "v1");
        route.TypedPerFilterConfig[Name] = Any.Pack(config);
        return route;
    }

    private static DataSource Keys(TokenIssuer issuer) => new() { InlineString = TokenIssuer.KeySet(issuer.RsaKey()) };

    private static JwtAuthentication Require(JwtProvider provider, JwtRequirement? requirement = null, string prefix = "/")
        => new()
        {
            Providers = { ["p"] = provider },
            Rules =
            {
                new RequirementRule { Match = new RouteMatch { Prefix = prefix }, Requires = requirement ?? new JwtRequirement { ProviderName = "p" } },
            },
        };

    private JwtProvider Provider(Action<JwtProvider>? change = null)
    {
        var provider = new JwtProvider { Issuer = "issuer", LocalJwks = Keys(_issuer) };
        change?.Invoke(provider);
        return provider;
    }

    private void Listen(JwtAuthentication authentication) => _mesh.Listen(FilterMesh.Filter(Name, authentication));

    private Task<HttpResponseMessage> Get(string token) => _mesh.GetAsync("/", ("Authorization", "Bearer " + token));
}
