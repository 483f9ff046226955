using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Cors.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Shouldly;
using Xunit;
using CorsPolicy = Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class CorsTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.cors";
    private const string Origin = "https://shop.example";

    private readonly FilterMesh _mesh = new FilterMesh().Listen(FilterMesh.Filter(Name, new Cors()));

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task A_preflight_is_answered_with_what_the_policy_allows()
    {
        Use(Policy());

        var response = await Preflight(Origin);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Text()).ShouldBe("");
        response.Header("access-control-allow-origin").ShouldBe(Origin);
        response.Header("access-control-allow-methods").ShouldBe("GET,PUT");
        response.Header("access-control-allow-headers").ShouldBe("x-token");
        response.Header("access-control-max-age").ShouldBe("600");
        response.Header("access-control-allow-credentials").ShouldBe("true");
        response.Header("access-control-allow-private-network").ShouldBeNull();
        response.Details().ShouldBe("cors_response");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stars_stand_for_what_was_asked_for()
    {
        var policy = Policy();
        (policy.AllowMethods, policy.AllowHeaders) = ("*", "*");
        Use(policy);

        var response = await Preflight(Origin, ("access-control-request-headers", "x-a,x-b"));

        response.Header("access-control-allow-methods").ShouldBe("PUT");
        response.Header("access-control-allow-headers").ShouldBe("x-a,x-b");
    }

    [Theory]
    [InlineData(true, "true", "true")]
    [InlineData(true, null, null)]
    [InlineData(false, "true", null)]
    public async Task Private_networks_are_allowed_where_asked_and_configured(bool allowed, string? asked, string? answer)
    {
        var policy = Policy();
        policy.AllowPrivateNetworkAccess = allowed;
        Use(policy);

        var response = asked is null ? await Preflight(Origin) : await Preflight(Origin, ("access-control-request-private-network", asked));

        response.Header("access-control-allow-private-network").ShouldBe(answer);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(true)]
    public async Task A_preflight_of_a_stranger_goes_to_the_upstream(bool? forward)
    {
        var policy = Policy();
        policy.ForwardNotMatchingPreflights = forward;
        Use(policy);

        var response = await Preflight("https://evil.example");

        response.Header("access-control-allow-origin").ShouldBeNull();
        _mesh.Received.ShouldHaveSingleItem().Method.ShouldBe("OPTIONS");
    }

    [Fact]
    public async Task A_preflight_of_a_stranger_is_answered_without_his_origin_when_it_is_not_to_be_forwarded()
    {
        var policy = Policy();
        policy.ForwardNotMatchingPreflights = false;
        Use(policy);

        var response = await Preflight("https://evil.example");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Header("access-control-allow-origin").ShouldBeNull();
        response.Header("access-control-allow-methods").ShouldBe("GET,PUT");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task Other_requests_of_an_allowed_origin_pass_and_their_responses_say_so()
    {
        Use(Policy());

        var response = await _mesh.GetAsync("/", ("origin", Origin));

        (await response.Text()).ShouldBe("hello");
        response.Header("access-control-allow-origin").ShouldBe(Origin);
        response.Header("access-control-allow-credentials").ShouldBe("true");
        response.Header("access-control-expose-headers").ShouldBe("x-total");
        response.Header("access-control-allow-methods").ShouldBeNull();
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Other_responses_are_left_alone(string? origin)
    {
        Use(Policy());

        var response = origin is null ? await _mesh.GetAsync() : await _mesh.GetAsync("/", ("origin", origin));

        response.Header("access-control-allow-origin").ShouldBeNull();
        response.Header("access-control-expose-headers").ShouldBeNull();
        _mesh.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_options_request_that_is_no_preflight_passes()
    {
        Use(Policy());

        (await _mesh.SendAsync(HttpMethod.Options, "/", ("origin", Origin))).Header("access-control-allow-origin").ShouldBe(Origin);
        _mesh.Received.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("*", Origin, true)]
    [InlineData("*", "null", true)]
    [InlineData("https://shop.example", Origin, true)]
    [InlineData("https://shop.example", "https://SHOP.example", false)]
    public async Task An_exact_star_allows_everybody(string allowed, string origin, bool isAllowed)
    {
        var policy = Policy();
        policy.AllowOriginStringMatch.Clear();
        policy.AllowOriginStringMatch.Add(new StringMatcher { Exact = allowed });
        Use(policy);

        (await _mesh.GetAsync("/", ("origin", origin))).Header("access-control-allow-origin").ShouldBe(isAllowed ? origin : null);
    }

    [Fact]
    public async Task A_share_of_requests_may_be_covered_or_none()
    {
        var policy = Policy();
        policy.FilterEnabled = new RuntimeFractionalPercent { DefaultValue = new() };
        policy.ShadowEnabled = new RuntimeFractionalPercent { DefaultValue = new() { Numerator = 100 } };
        Use(policy);

        (await Preflight(Origin)).Header("access-control-allow-origin").ShouldBeNull();
        _mesh.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Levels_fill_in_what_more_specific_ones_leave_open()
    {
        var routes = Resources.Routes("routes", Resources.Prefix("/", "v1"));
        routes.VirtualHosts[0].TypedPerFilterConfig.Add(Name, Any.Pack(Policy()));
        routes.VirtualHosts[0].Routes[0].TypedPerFilterConfig.Add(Name, Any.Pack(new CorsPolicy { AllowMethods = "DELETE", AllowCredentials = false }));
        _mesh.Route(routes);

        var response = await Preflight(Origin);

        response.Header("access-control-allow-origin").ShouldBe(Origin);
        response.Header("access-control-allow-methods").ShouldBe("DELETE");
        response.Header("access-control-allow-headers").ShouldBe("x-token");
        response.Header("access-control-allow-credentials").ShouldBeNull();
    }

    [Fact]
    public async Task The_older_fields_of_routes_count_where_no_filter_is_configured()
    {
        var route = Resources.Prefix("/", "v1");
#pragma warning disable CS0612 // What older control planes send.
        route.Route_.Cors = new Envoy.Config.Route.V3.CorsPolicy { AllowOriginStringMatch = { new StringMatcher { Exact = Origin } }, AllowMethods = "GET" };
#pragma warning restore CS0612
        _mesh.Route(route);

        (await Preflight(Origin)).Header("access-control-allow-methods").ShouldBe("GET");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_route_that_leads_to_no_cluster_is_not_covered()
    {
        var route = new Route { Match = new RouteMatch { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = 404 } };
        route.TypedPerFilterConfig.Add(Name, Any.Pack(Policy()));
        _mesh.Route(route);

        (await Preflight(Origin)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static CorsPolicy Policy() => new()
    {
        AllowOriginStringMatch = { new StringMatcher { SafeRegex = new RegexMatcher { Regex = "https://(shop|www)\\.example" } } },
        AllowMethods = "GET,PUT",
        AllowHeaders = "x-token",
        ExposeHeaders = "x-total",
        MaxAge = "600",
        AllowCredentials = true,
    };

    private void Use(CorsPolicy policy)
    {
        var route = Resources.Prefix("/", "v1");
        route.TypedPerFilterConfig.Add(Name, Any.Pack(policy));
        _mesh.Route(route);
    }

    private Task<HttpResponseMessage> Preflight(string origin, params (string Name, string Value)[] headers)
        => _mesh.SendAsync(HttpMethod.Options, "/", [("origin", origin), ("access-control-request-method", "PUT"), .. headers]);
}
