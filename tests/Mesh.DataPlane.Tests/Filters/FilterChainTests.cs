using System.Net;
using System.Text.Json;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Filters;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xds.Type.V3;
using Xunit;

namespace Mesh.DataPlane.Tests.Filters;

/// <summary>The order of filters, what routes say to them, and what an application's own filter may do.</summary>
public sealed class FilterChainTests : IAsyncDisposable
{
    private const string Url = "type.googleapis.com/test.Recorder";

    private readonly FilterMesh _mesh = new(configure: s =>
    {
        s.AddMeshFilter<Recorder>(Url);
        s.AddMeshFilter<Recorder>(Url);
        s.AddSingleton<List<string>>();
    });

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task Requests_pass_in_the_listeners_order_and_responses_in_reverse()
    {
        _mesh.Listen(Recording("a"), Recording("b"), Recording("c"));

        (await _mesh.GetAsync()).Header("x-seen").ShouldBe("c, b, a");

        _mesh.Received.ShouldHaveSingleItem().Headers["x-seen"].ShouldBe("a, b, c");
    }

    [Fact]
    public async Task The_callers_message_comes_back_as_it_was()
    {
        _mesh.Listen(Recording("a", "path", "/elsewhere?x=%2F..%2f"));
        var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/here");
        request.Headers.Add("x-seen", "mine");

        (await _mesh.Client.SendAsync(request)).Dispose();

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Path.ShouldBe("/elsewhere?x=%2F..%2f");
        received.Headers["x-seen"].ShouldBe("mine, a");
        request.RequestUri!.PathAndQuery.ShouldBe("/here");
        request.Headers.GetValues("x-seen").ShouldBe(["mine"]);
    }

    [Fact]
    public async Task The_most_specific_configuration_wins()
    {
        var split = Resources.Split(("v1", 1));
        split.Route_.WeightedClusters.Clusters[0].TypedPerFilterConfig.Add("r", Config("cluster"));
        var routes = Resources.Routes("routes", OnPath("/cluster", split), OnPath("/route", Resources.Prefix("/", "v1")), Resources.Prefix("/", "v1"));
        routes.TypedPerFilterConfig.Add("r", Config("configuration"));
        routes.VirtualHosts[0].Routes[0].TypedPerFilterConfig.Add("r", Config("route"));
        routes.VirtualHosts[0].Routes[1].TypedPerFilterConfig.Add("r", Config("route"));
        _mesh.Listen(Recording("listener", name: "r")).Route(routes);

        (await _mesh.GetAsync("/cluster")).Header("x-seen").ShouldBe("cluster");
        (await _mesh.GetAsync("/route")).Header("x-seen").ShouldBe("route");
        (await _mesh.GetAsync("/")).Header("x-seen").ShouldBe("configuration");

        routes.VirtualHosts[0].TypedPerFilterConfig.Add("r", Config("host"));
        _mesh.Route(routes);
        (await _mesh.GetAsync("/")).Header("x-seen").ShouldBe("host");

        routes.TypedPerFilterConfig.Clear();
        routes.VirtualHosts[0].TypedPerFilterConfig.Clear();
        _mesh.Route(routes);
        (await _mesh.GetAsync("/")).Header("x-seen").ShouldBe("listener");
    }

    [Fact]
    public async Task Routes_switch_filters_on_and_off()
    {
        var off = Resources.Prefix("/off", "v1");
        off.TypedPerFilterConfig.Add("a", Any.Pack(new FilterConfig { Disabled = true }));
        var on = Resources.Prefix("/on", "v1");
        on.TypedPerFilterConfig.Add("b", Any.Pack(new FilterConfig { Config = new Any() }));
        var own = Resources.Prefix("/own", "v1");
        own.TypedPerFilterConfig.Add("b", Any.Pack(new FilterConfig { Config = Config("own") }));
        _mesh.Listen(Recording("a", name: "a"), Recording("b", name: "b", disabled: true)).Route(off, on, own, Resources.Prefix("/", "v1"));

        (await _mesh.GetAsync("/off")).Header("x-seen").ShouldBeNull();
        (await _mesh.GetAsync("/on")).Header("x-seen").ShouldBe("b, a");
        (await _mesh.GetAsync("/own")).Header("x-seen").ShouldBe("own, a");
        (await _mesh.GetAsync("/")).Header("x-seen").ShouldBe("a");
    }

    [Fact]
    public async Task Where_no_filter_has_anything_to_do_there_is_no_chain()
    {
        await _mesh.GetAsync();
        var host = _mesh.Engine.Hosts.Find("reviews", 9080)!;
        host.State.Filters.ShouldBeNull();

        // What Istio puts into every listener.
        _mesh.Listen(
            FilterMesh.Filter("envoy.filters.http.fault", new Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault()),
            FilterMesh.Filter("envoy.filters.http.cors", new Envoy.Extensions.Filters.Http.Cors.V3.Cors()));

        host.State.Filters!.Plain.ShouldBeNull();
    }

    [Fact]
    public async Task A_reply_ends_the_request_phase_and_every_filter_sees_it()
    {
        _mesh.Listen(Recording("a"), Recording("b", "reply", "418"), Recording("c"));

        var response = await _mesh.GetAsync();

        response.StatusCode.ShouldBe((HttpStatusCode)418);
        (await response.Text()).ShouldBe("short and stout");
        response.Header("x-seen").ShouldBe("c, b, a");
        response.Details().ShouldBe("filter_reply");
        _mesh.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("throw")]
    [InlineData("throw-later")]
    public async Task A_filter_that_throws_is_answered_with_500(string what)
    {
        _mesh.Listen(Recording("a"), Recording("b", what, "x"));

        var response = await _mesh.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Details().ShouldBe("filter_threw{b|InvalidOperationException}");
        response.Header("x-seen").ShouldBe(what == "throw" ? "b, a" : "a");
    }

    [Fact]
    public async Task A_cancelled_filter_is_a_cancelled_request()
    {
        using var cancel = new CancellationTokenSource();
        _mesh.Listen(Recording("a", "hang", "x"));

        var sending = _mesh.Client.GetAsync("/", cancel.Token);
        cancel.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(sending);
        Ended.ShouldBe(["a"]);
    }

    [Fact]
    public async Task Every_filter_that_saw_a_request_sees_its_end()
    {
        _mesh.Listen(Recording("a"), Recording("b", "reply", "403"), Recording("c"));

        (await _mesh.GetAsync()).Dispose();

        Ended.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_cleared_route_is_matched_again_and_brings_its_own_filters()
    {
        _mesh.AddCluster("v22");
        var canary = Resources.Prefix("/", "v22", "canary");
        canary.Match.Headers.Add(new HeaderMatcher { Name = "x-canary", PresentMatch = true });
        canary.TypedPerFilterConfig.Add("b", Config("canary's"));
        _mesh.Listen(Recording("a", "canary", "x"), Recording("b", name: "b")).Route(canary, Resources.Prefix("/", "v1", "main"));

        (await _mesh.GetAsync()).Header("x-seen").ShouldBe("canary's, a");

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Cluster.ShouldBe("v22");
        received.Headers["x-seen"].ShouldBe("a, canary's");
    }

    [Fact]
    public async Task A_cleared_route_after_a_change_of_authority_is_another_virtual_hosts()
    {
        _mesh.AddCluster("v22");
        var routes = Resources.Routes("routes", Resources.Prefix("/", "v1"));
        routes.VirtualHosts.Add(new VirtualHost { Name = "other", Domains = { "other.example" }, Routes = { Resources.Prefix("/", "v22") } });
        _mesh.Listen(Recording("a", "authority", "other.example")).Route(routes);

        await _mesh.GetAsync();

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Cluster.ShouldBe("v22");
        received.Headers["host"].ShouldBe("other.example");
    }

    [Fact]
    public async Task Headers_of_the_body_are_headers_like_others()
    {
        _mesh.Listen(Recording("a", "content", "x"));
        _mesh.Respond = _ => new HttpResponseMessage { Content = new StringContent("{}") };

        var response = await _mesh.Client.PostAsync("/", new StringContent("x"));

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Headers["content-type"].ShouldBe("application/x-test");
        received.Headers["expires"].ShouldBe("0");
        received.Headers["x-had-type"].ShouldStartWith("text/plain");
        response.Header("content-type").ShouldBe("application/x-test");
        response.Header("allow").ShouldBe("GET");
    }

    [Fact]
    public async Task Bodies_are_buffered_up_to_a_limit()
    {
        _mesh.Listen(Recording("a", "buffer", "5"));

        (await _mesh.Client.PostAsync("/", new StringContent("12345"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Received.ShouldHaveSingleItem().Body.ShouldBe("12345");
        _mesh.Received[0].Headers["x-body"].ShouldBe("12345");

        (await _mesh.Client.PostAsync("/", new StringContent("123456"))).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        _mesh.Received.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("x\r\nevil: 1")]
    [InlineData("x\ny")]
    [InlineData("x\0y")]
    public async Task No_filter_can_write_a_second_header_into_a_value(string value)
    {
        _mesh.Listen(Recording("a", "header", value));

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        _mesh.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/a b")]
    [InlineData("no-slash")]
    [InlineData("/a\r\nx: y")]
    [InlineData("/a#b")]
    public async Task No_filter_can_write_a_path_that_is_more_than_a_path(string path)
    {
        _mesh.Listen(Recording("a", "path", path));

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        _mesh.Received.ShouldBeEmpty();
    }

    private List<string> Ended => _mesh.Services.GetRequiredService<List<string>>();

    private static Any Config(string mark, string key = "", string value = "")
    {
        var json = new Struct { Fields = { ["mark"] = Value.ForString(mark) } };
        if (key.Length > 0)
        {
            json.Fields[key] = Value.ForString(value);
        }

        return Any.Pack(new TypedStruct { TypeUrl = Url, Value = json });
    }

    private static Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter Recording(
        string mark, string key = "", string value = "", string? name = null, bool disabled = false)
        => new() { Name = name ?? mark, TypedConfig = Config(mark, key, value), Disabled = disabled };

    private static Route OnPath(string prefix, Route route)
    {
        route.Match.Prefix = prefix;
        return route;
    }

    /// <summary>An application's own filter: marks what it sees, and does what its configuration says.</summary>
    public sealed class Recorder(JsonElement configuration, List<string> ended) : HttpFilter
    {
        private readonly string _mark = configuration.GetProperty("mark").GetString()!;

        public override async ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            exchange.RequestHeaders.Add("x-seen", _mark);
            foreach (var setting in configuration.EnumerateObject())
            {
                var value = setting.Value.GetString()!;
                switch (setting.Name)
                {
                    case "reply":
                        exchange.Reply(int.Parse(value), "short and stout");
                        break;
                    case "throw":
                        throw new InvalidOperationException("at once");
                    case "path":
                        exchange.Path = value;
                        break;
                    case "header":
                        exchange.RequestHeaders.Set("x-value", value);
                        break;
                    case "hang":
                        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                        break;
                    case "canary":
                        exchange.RequestHeaders.Set("x-canary", "1");
                        exchange.ClearRouteCache();
                        break;
                    case "authority":
                        exchange.Authority = value;
                        exchange.ClearRouteCache();
                        break;
                    case "content":
                        exchange.RequestHeaders.Set("x-had-type", exchange.RequestHeaders["content-type"]!);
                        exchange.RequestHeaders.Set("content-type", "application/x-test");
                        exchange.RequestHeaders.Set("expires", "0");
                        break;
                    case "buffer":
                        if (await exchange.BufferRequestBodyAsync(int.Parse(value), cancellationToken) is { } body)
                        {
                            exchange.RequestHeaders.Set("x-body", System.Text.Encoding.UTF8.GetString(body.Span));
                        }
                        else
                        {
                            exchange.Reply(413);
                        }

                        break;
                }
            }
        }

        public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            if (configuration.TryGetProperty("throw-later", out _) && !exchange.IsReplied)
            {
                throw new InvalidOperationException("later");
            }

            exchange.ResponseHeaders.Add("x-seen", _mark);
            if (configuration.TryGetProperty("content", out _))
            {
                exchange.ResponseHeaders.Set("content-type", "application/x-test");
                exchange.ResponseHeaders.Set("allow", "GET");
            }

            return ValueTask.CompletedTask;
        }

        public override void OnEnd(HttpExchange exchange)
        {
            lock (ended)
            {
                ended.Add(_mark);
            }
        }
    }
}
