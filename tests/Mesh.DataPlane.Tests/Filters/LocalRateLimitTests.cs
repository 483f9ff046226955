using Microsoft.Extensions.DependencyInjection;
using Mesh.Xds.Metrics;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Common.Ratelimit.V3;
using Envoy.Extensions.Filters.Http.LocalRatelimit.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Shouldly;
using Xunit;
using Action = Envoy.Config.Route.V3.RateLimit.Types.Action;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class LocalRateLimitTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.local_ratelimit";

    private static readonly RuntimeFractionalPercent All = new() { DefaultValue = new FractionalPercent { Numerator = 100 } };

    private readonly FilterMesh _mesh = new();

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task What_goes_over_the_limit_is_refused()
    {
        Listen(Limit(2));

        (await Statuses(3)).ShouldBe([200, 200, 429]);
        var response = await _mesh.GetAsync();

        (await response.Text()).ShouldBe("local_rate_limited");
        response.Flags().ShouldBe("RL");
        response.Details().ShouldBe("local_rate_limited");
        _mesh.Received.Count.ShouldBe(2);

        _mesh.Time.Advance(TimeSpan.FromSeconds(30));
        (await Statuses(2)).ShouldBe([200, 429]);
    }

    [Fact]
    public async Task What_it_does_is_counted_by_its_prefix()
    {
        var registry = _mesh.Services.GetRequiredService<MetricRegistry>();
        double Count(string name) => Exposition.Value(registry, $"envoy_http_local_rate_limit_{name}{{envoy_local_http_ratelimit_prefix=\"s\"}}");
        Listen(Limit(2));
        (await Statuses(3)).ShouldBe([200, 200, 429]);
        (Count("enabled"), Count("ok"), Count("rate_limited"), Count("enforced")).ShouldBe((3, 2, 1, 1));

        var lenient = Limit(0);
        lenient.FilterEnforced = new RuntimeFractionalPercent { DefaultValue = new FractionalPercent() };
        Listen(lenient);
        (await Statuses(1)).ShouldBe([200]);
        (Count("enabled"), Count("ok"), Count("rate_limited"), Count("enforced")).ShouldBe((4, 2, 2, 1));
    }

    [Fact]
    public async Task The_reply_is_as_configured()
    {
        var limit = Limit(0);
        limit.Status = new HttpStatus { Code = Envoy.Type.V3.StatusCode.ServiceUnavailable };
        limit.EnableXRatelimitHeaders = XRateLimitHeadersRFCVersion.DraftVersion03;
        limit.ResponseHeadersToAdd.Add(new HeaderValueOption { Header = new HeaderValue { Key = "x-local-rate-limit", Value = "true" } });
        Listen(limit);

        var response = await _mesh.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Header("x-local-rate-limit").ShouldBe("true");
        response.Header("x-ratelimit-limit").ShouldBe("0");
        response.Header("x-ratelimit-remaining").ShouldBe("0");
    }

    [Fact]
    public async Task Responses_tell_what_is_left()
    {
        var limit = Limit(2);
        limit.EnableXRatelimitHeaders = XRateLimitHeadersRFCVersion.DraftVersion03;
        limit.ResponseHeadersToAdd.Add(new HeaderValueOption { Header = new HeaderValue { Key = "x-limited", Value = "1" } });
        Listen(limit);

        await _mesh.GetAsync();
        var response = await _mesh.GetAsync();

        response.Header("x-ratelimit-limit").ShouldBe("2");
        response.Header("x-ratelimit-remaining").ShouldBe("0");
        response.Header("x-ratelimit-reset").ShouldBe("30");
        response.Header("x-limited").ShouldBeNull();
    }

    [Theory]
    [InlineData(false, "14")]
    [InlineData(true, "8")]
    public async Task A_grpc_caller_gets_unavailable_or_resource_exhausted(bool exhausted, string status)
    {
        var limit = Limit(0);
        limit.RateLimitedAsResourceExhausted = exhausted;
        Listen(limit);
        var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.TryAddWithoutValidation("content-type", "application/grpc");

        (await _mesh.Client.PostAsync("/", content)).Header("grpc-status").ShouldBe(status);
    }

    [Fact]
    public async Task Without_being_enabled_nothing_is_counted_and_without_being_enforced_nothing_refused()
    {
        var limit = Limit(0);
        limit.FilterEnabled = null;
        Listen(limit);
        (await Statuses(1)).ShouldBe([200]);

        limit = Limit(0);
        limit.FilterEnforced = null;
        limit.RequestHeadersToAddWhenNotEnforced.Add(new HeaderValueOption { Header = new HeaderValue { Key = "x-over", Value = "yes" } });
        Listen(limit);
        (await Statuses(1)).ShouldBe([200]);
        _mesh.Received[^1].Headers["x-over"].ShouldBe("yes");
    }

    [Fact]
    public async Task Routes_that_look_alike_have_buckets_of_their_own_and_a_virtual_host_has_one_for_all()
    {
        var routes = Resources.Routes("routes", Resources.Prefix("/a", "v1"), Resources.Prefix("/b", "v1"), Resources.Prefix("/c", "v1"), Resources.Prefix("/d", "v1"));
        routes.VirtualHosts[0].TypedPerFilterConfig.Add(Name, Any.Pack(Limit(1)));
        routes.VirtualHosts[0].Routes[0].TypedPerFilterConfig.Add(Name, Any.Pack(Limit(1)));
        routes.VirtualHosts[0].Routes[1].TypedPerFilterConfig.Add(Name, Any.Pack(Limit(1)));
        Listen(new LocalRateLimit { StatPrefix = "s" }).Route(routes);

        (await Statuses(2, "/a")).ShouldBe([200, 429]);
        (await Statuses(2, "/b")).ShouldBe([200, 429]);
        (await Statuses(1, "/c")).ShouldBe([200]);
        (await Statuses(1, "/d")).ShouldBe([429]);
    }

    [Fact]
    public async Task A_bucket_outlives_changes_of_other_resources()
    {
        Listen(Limit(1));
        (await Statuses(2)).ShouldBe([200, 429]);

        _mesh.Route(Resources.Prefix("/", "v1", "renamed"));

        (await Statuses(1)).ShouldBe([429]);
    }

    [Fact]
    public async Task Descriptors_have_buckets_of_their_own()
    {
        var limit = Limit(100);
        limit.Descriptors.Add(Descriptor(1, ("path", "/gold"), ("method", "GET")));
        limit.Descriptors.Add(Descriptor(2, ("path", "/silver"), ("method", "GET")));
        var route = Resources.Prefix("/", "v1");
        route.Route_.RateLimits.Add(new RateLimit
        {
            Actions =
            {
                new Action { RequestHeaders = new Action.Types.RequestHeaders { HeaderName = ":path", DescriptorKey = "path" } },
                new Action { RequestHeaders = new Action.Types.RequestHeaders { HeaderName = ":method", DescriptorKey = "method" } },
            },
        });
        Listen(limit).Route(route);

        (await Statuses(2, "/gold")).ShouldBe([200, 429]);
        (await Statuses(3, "/silver")).ShouldBe([200, 200, 429]);
        (await Statuses(3, "/bronze")).ShouldBe([200, 200, 200]);
    }

    [Fact]
    public async Task A_request_that_its_descriptor_refuses_has_cost_the_common_bucket_nothing()
    {
        var limit = Limit(3);
        limit.Descriptors.Add(Descriptor(1, ("user", "anna")));
        Listen(limit).Route(Limited(Header("x-user", "user")));

        (await Statuses(4, "/", ("x-user", "anna"))).ShouldBe([200, 429, 429, 429]);
        (await Statuses(3, "/", ("x-user", "ben"))).ShouldBe([200, 200, 429]);
    }

    [Fact]
    public async Task The_common_bucket_may_be_spared()
    {
        var limit = Limit(0);
        limit.AlwaysConsumeDefaultTokenBucket = false;
        limit.Descriptors.Add(Descriptor(1, ("user", "anna")));
        Listen(limit).Route(Limited(Header("x-user", "user")));

        (await Statuses(2, "/", ("x-user", "anna"))).ShouldBe([200, 429]);
        (await Statuses(1, "/", ("x-user", "ben"))).ShouldBe([429]);
    }

    [Fact]
    public async Task A_descriptor_without_a_value_counts_each_value_by_itself_within_bounds()
    {
        var limit = Limit(100);
        limit.MaxDynamicDescriptors = 2;
        limit.Descriptors.Add(Descriptor(1, ("user", "")));
        limit.Descriptors.Add(Descriptor(3, ("user", "vip")));
        Listen(limit).Route(Limited(Header("x-user", "user")));

        (await Statuses(2, "/", ("x-user", "anna"))).ShouldBe([200, 429]);
        _mesh.Time.Advance(TimeSpan.FromTicks(1));
        (await Statuses(2, "/", ("x-user", "ben"))).ShouldBe([200, 429]);
        (await Statuses(4, "/", ("x-user", "vip"))).ShouldBe([200, 200, 200, 429]);

        // A third value takes the place of the one that has not come for longest.
        _mesh.Time.Advance(TimeSpan.FromTicks(1));
        (await Statuses(1, "/", ("x-user", "cleo"))).ShouldBe([200]);
        (await Statuses(1, "/", ("x-user", "ben"))).ShouldBe([429]);
        (await Statuses(1, "/", ("x-user", "anna"))).ShouldBe([200]);
    }

    [Theory]
    [InlineData((int)VhRateLimitsOptions.Override, true, 200)]
    [InlineData((int)VhRateLimitsOptions.Override, false, 429)]
    [InlineData((int)VhRateLimitsOptions.Include, true, 429)]
    [InlineData((int)VhRateLimitsOptions.Ignore, false, 200)]
    public async Task The_virtual_hosts_limits_count_as_the_filter_says(int options, bool routeHasItsOwn, int second)
    {
        var limit = Limit(100);
        limit.VhRateLimits = (VhRateLimitsOptions)options;
        limit.Descriptors.Add(Descriptor(1, ("generic_key", "host")));
        var routes = Resources.Routes("routes", Resources.Prefix("/", "v1"));
        routes.VirtualHosts[0].RateLimits.Add(new RateLimit { Actions = { new Action { GenericKey = new Action.Types.GenericKey { DescriptorValue = "host" } } } });
        if (routeHasItsOwn)
        {
            routes.VirtualHosts[0].Routes[0].Route_.RateLimits.Add(new RateLimit { Actions = { new Action { DestinationCluster = new() } } });
        }

        Listen(limit).Route(routes);

        (await Statuses(2)).ShouldBe([200, second]);
    }

    [Fact]
    public async Task Every_action_finds_what_it_is_named_after()
    {
        var limit = Limit(100);
        limit.Descriptors.Add(Descriptor(
            0,
            ("destination_cluster", "v1"),
            ("plan", "gold"),
            ("header_match", "beta"),
            ("query_match", "debug"),
            ("k", "v")));
        Listen(limit).Route(Limited(
            new Action { DestinationCluster = new() },
            new Action { QueryParameters = new() { QueryParameterName = "plan", DescriptorKey = "plan" } },
            new Action { HeaderValueMatch = new() { DescriptorValue = "beta", Headers = { new HeaderMatcher { Name = "x-beta", PresentMatch = true } } } },
            new Action { QueryParameterValueMatch = new() { DescriptorValue = "debug", ExpectMatch = false, QueryParameters = { new QueryParameterMatcher { Name = "release", PresentMatch = true } } } },
            new Action { RequestHeaders = new() { HeaderName = "x-absent", DescriptorKey = "absent", SkipIfAbsent = true } },
            new Action { GenericKey = new() { DescriptorKey = "k", DescriptorValue = "v" } }));

        (await Statuses(1, "/?plan=gold", ("x-beta", "1"))).ShouldBe([429]);
        (await Statuses(1, "/?plan=silver", ("x-beta", "1"))).ShouldBe([200]);
        (await Statuses(1, "/?plan=gold")).ShouldBe([200]);
        (await Statuses(1, "/?plan=gold&release", ("x-beta", "1"))).ShouldBe([200]);
        (await Statuses(1, "/?plan=gold", ("x-beta", "1"), ("x-absent", "1"))).ShouldBe([200]);
    }

    [Fact]
    public async Task The_callers_address_is_none_in_process()
    {
        var limit = Limit(100);
        limit.Descriptors.Add(Descriptor(0, ("remote_address", "")));
        Listen(limit).Route(Limited(new Action { RemoteAddress = new() }));

        (await Statuses(1)).ShouldBe([200]);
    }

    [Theory]
    [InlineData(49)]
    [InlineData(0)]
    public void A_bucket_that_fills_too_often_is_refused(int milliseconds)
    {
        var limit = Limit(1);
        limit.TokenBucket.FillInterval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds));

        Should.Throw<ResourceRejectedException>(() => Listen(limit)).Field.ShouldEndWith("typed_config.token_bucket.fill_interval");
    }

    [Fact]
    public void A_route_without_a_bucket_is_refused()
    {
        var route = Resources.Prefix("/", "v1");
        route.TypedPerFilterConfig.Add(Name, Any.Pack(new LocalRateLimit { StatPrefix = "s" }));

        Should.Throw<ResourceRejectedException>(() => _mesh.Route(route)).Field
            .ShouldBe($"virtual_hosts[0].routes[0].typed_per_filter_config['{Name}'].token_bucket");
    }

    private static LocalRateLimit Limit(uint tokens) => new()
    {
        StatPrefix = "s",
        TokenBucket = Bucket(tokens),
        FilterEnabled = All,
        FilterEnforced = All,
    };

    private static TokenBucket Bucket(uint tokens)
        => new() { MaxTokens = tokens, TokensPerFill = Math.Max(1, tokens), FillInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)) };

    private static LocalRateLimitDescriptor Descriptor(uint tokens, params (string Key, string Value)[] entries) => new()
    {
        Entries = { entries.Select(e => new RateLimitDescriptor.Types.Entry { Key = e.Key, Value = e.Value }) },
        TokenBucket = Bucket(tokens),
    };

    private static Action Header(string name, string key) => new() { RequestHeaders = new() { HeaderName = name, DescriptorKey = key } };

    private static Route Limited(params Action[] actions)
    {
        var route = Resources.Prefix("/", "v1");
        route.Route_.RateLimits.Add(new RateLimit { Actions = { actions } });
        return route;
    }

    private FilterMesh Listen(LocalRateLimit limit) => _mesh.Listen(FilterMesh.Filter(Name, limit));

    private async Task<List<int>> Statuses(int requests, string path = "/", params (string Name, string Value)[] headers)
    {
        var statuses = new List<int>();
        for (var i = 0; i < requests; i++)
        {
            using var response = await _mesh.GetAsync(path, headers);
            statuses.Add((int)response.StatusCode);
        }

        return statuses;
    }
}
