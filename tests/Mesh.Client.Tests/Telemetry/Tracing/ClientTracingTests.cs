using System.Diagnostics;
using Envoy.Config.Core.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry.Tracing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using HcmTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;
using Setup = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Telemetry.Tracing;

/// <summary>Spans of the client's door where the listener names a collector and no application listens.</summary>
[Collection(nameof(ActivityListeners))]
public sealed class ClientTracingTests
{
    private const string Trace = "463ac35c9f6413ad48485a3953bb6124";
    private const string Span = "0020000000000001";

    [Fact]
    public async Task A_request_that_begins_here_is_one_span_with_the_tags_that_people_search_for()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = Traced(server, collector, Otlp(), options => (options.Workload.Name, options.Workload.Version) = ("productpage", "v1"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/a?token=secret");
        request.Headers.UserAgent.ParseAdd("test/1");
        using (await mesh.Client().SendAsync(request).Within())
        {
        }

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        (span.Service, span.Scope, span.Name, span.Kind, span.ParentId, span.IsError).ShouldBe(("productpage.default", "Mesh", "GET", "Client", "", false));
        var tags = new Dictionary<string, string?>
        {
            ["http.request.method"] = "GET",
            ["http.response.status_code"] = "200",
            ["server.address"] = "reviews",
            ["server.port"] = "9080",
            ["url.full"] = "http://reviews:9080/a?*",
            ["network.protocol.version"] = "1.1",
            ["network.peer.address"] = "127.0.0.1",
            ["network.peer.port"] = $"{server.Port}",
            ["component"] = "proxy",
            ["http.url"] = "http://reviews:9080/a?*",
            ["http.method"] = "GET",
            ["http.protocol"] = "HTTP/1.1",
            ["http.status_code"] = "200",
            ["user_agent"] = "test/1",
            ["downstream_cluster"] = "-",
            ["upstream_cluster"] = "reviews:9080",
            ["upstream_cluster.name"] = "reviews:9080",
            ["upstream_address"] = $"127.0.0.1:{server.Port}",
            ["request_size"] = "0",
            ["response_size"] = "5",
            ["response_flags"] = "-",
            ["mesh.endpoint"] = $"127.0.0.1:{server.Port}",
            ["mesh.attempts"] = "1",
            ["mesh.response_flags"] = "-",
        };
        foreach (var (name, value) in tags)
        {
            span[name].ShouldBe(value, name);
        }

        span["error"].ShouldBeNull();
        span["guid:x-request-id"].ShouldNotBeNull();
        span.Tags.Values.ShouldNotContain(value => value.Contains("secret"));
    }

    [Theory]
    [InlineData("otlp/http", "/v1/traces", "application/x-protobuf")]
    [InlineData("otlp/grpc", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "application/grpc")]
    [InlineData("zipkin", "/api/v2/spans", "application/json")]
    public async Task Spans_reach_the_collector_that_the_listener_names(string kind, string path, string type)
    {
        await using var collector = await TraceCollector.StartAsync(kind == "otlp/grpc" ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        IMessage provider = kind switch
        {
            "otlp/grpc" => new OpenTelemetryConfig { GrpcService = new() { EnvoyGrpc = new() { ClusterName = "collector" } } },
            "zipkin" => new ZipkinConfig { CollectorCluster = "collector", CollectorEndpoint = "/api/v2/spans", CollectorHostname = "zipkin.example" },
            _ => Otlp(),
        };
        await using var mesh = Traced(server, collector, provider, http2: kind == "otlp/grpc");

        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        span["upstream_cluster"].ShouldBe("reviews:9080");
        var post = collector.Posts.ShouldHaveSingleItem();
        (post.Path, post.ContentType).ShouldBe((path, type));
        post.Headers.Keys.ShouldNotContain("traceparent");
        post.Headers.Keys.ShouldNotContain("x-request-id");
        mesh.Services.GetRequiredService<MeshTracing>().Counts().ShouldBe((1, 0, 0));
    }

    [Fact]
    public async Task A_dead_collector_costs_requests_nothing()
    {
        await using var collector = await TraceCollector.StartAsync();
        collector.Status = StatusCodes.Status503ServiceUnavailable;
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = Traced(server, collector, Otlp());

        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("hello");

        await FlushAsync(mesh, collector);
        mesh.Services.GetRequiredService<MeshTracing>().Counts().ShouldBe((0, 0, 1));
    }

    [Fact]
    public async Task Upstreams_of_Zipkin_read_B3_and_the_id_and_the_message_stays_as_it_was()
    {
        await using var collector = await TraceCollector.StartAsync();
        IHeaderDictionary? seen = null;
        await using var server = await WebServer.StartAsync(context =>
        {
            seen = Copy(context);
            return context.Response.WriteAsync("hello");
        });
        await using var mesh = Traced(server, collector, new ZipkinConfig { CollectorCluster = "collector", CollectorEndpoint = "/api/v2/spans" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");

        using (await mesh.Client().SendAsync(request).Within())
        {
        }

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        seen!["x-b3-traceid"].ToString().ShouldBe(span.TraceId);
        seen["x-b3-spanid"].ToString().ShouldBe(span.Id);
        seen["x-b3-sampled"].ToString().ShouldBe("1");
        seen.ContainsKey("traceparent").ShouldBeFalse();
        seen["x-request-id"].ToString().ShouldBe(span["guid:x-request-id"]);
        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Both_headers_where_both_are_asked_for()
    {
        await using var collector = await TraceCollector.StartAsync();
        IHeaderDictionary? seen = null;
        await using var server = await WebServer.StartAsync(context =>
        {
            seen = Copy(context);
            return Task.CompletedTask;
        });
        await using var mesh = Traced(server, collector, new ZipkinConfig
        {
            CollectorCluster = "collector",
            CollectorEndpoint = "/api/v2/spans",
            TraceContextOption = ZipkinConfig.Types.TraceContextOption.UseB3WithW3CPropagation,
        });

        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        seen!["x-b3-spanid"].ToString().ShouldBe(span.Id);
        seen["traceparent"].ToString().ShouldBe($"00-{span.TraceId}-{span.Id}-01");
    }

    [Theory]
    [InlineData("traceparent", $"00-{Trace}-{Span}-01", true)]
    [InlineData("traceparent", $"00-{Trace}-{Span}-00", false)]
    [InlineData("b3", $"{Trace}-{Span}-1", true)]
    [InlineData("b3", $"{Trace}-{Span}-0", false)]
    [InlineData("b3", "0", false)]
    public async Task A_trace_that_the_application_carries_on_by_hand_is_followed(string header, string value, bool sampled)
    {
        await using var collector = await TraceCollector.StartAsync();
        IHeaderDictionary? seen = null;
        await using var server = await WebServer.StartAsync(context =>
        {
            seen = Copy(context);
            return Task.CompletedTask;
        });
        await using var mesh = Traced(server, collector, Otlp());
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add(header, value);

        using (await mesh.Client().SendAsync(request).Within())
        {
        }

        var spans = await FlushAsync(mesh, collector);
        request.Headers.GetValues(header).ShouldHaveSingleItem().ShouldBe(value);
        if (!sampled)
        {
            spans.ShouldBeEmpty();
            seen!["traceparent"].ToString().ShouldEndWith("-00");
            if (value.Length > 1)
            {
                seen["traceparent"].ToString().ShouldContain(Trace);
            }

            return;
        }

        var span = spans.ShouldHaveSingleItem();
        (span.TraceId, span.ParentId).ShouldBe((Trace, Span));
        seen![header].ToString().ShouldContain(span.Id);
        seen["traceparent"].ToString().ShouldBe($"00-{Trace}-{span.Id}-01");
    }

    [Fact]
    public async Task Rates_decide_what_begins_here_and_upstreams_are_told_so()
    {
        await using var collector = await TraceCollector.StartAsync();
        var parents = new List<string>();
        await using var server = await WebServer.StartAsync(context =>
        {
            parents.Add(context.Request.Headers["traceparent"].ToString());
            return Task.CompletedTask;
        });
        await using var mesh = Traced(server, collector, Otlp(), tracing: tracing => tracing.RandomSampling = new() { Value = 1 });
        using var chosen = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        chosen.Headers.Add("x-request-id", "00000063-0000-4000-8000-000000000000");
        using var other = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        other.Headers.Add("x-request-id", "00000064-0000-4000-8000-000000000000");

        using (await mesh.Client().SendAsync(chosen).Within())
        using (await mesh.Client().SendAsync(other).Within())
        {
        }

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        span["guid:x-request-id"].ShouldBe("00000063-0000-a000-8000-000000000000");
        parents[0].ShouldBe($"00-{span.TraceId}-{span.Id}-01");
        parents[1].ShouldEndWith("-00");
        parents[1].ShouldNotContain(span.TraceId);
    }

    [Fact]
    public async Task A_trace_is_forced_by_a_header()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(_ => Task.CompletedTask);
        await using var mesh = Traced(server, collector, Otlp(), tracing: tracing => tracing.RandomSampling = new() { Value = 0 });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add("x-envoy-force-trace", "true");

        using (await mesh.Client().SendAsync(request).Within())
        {
        }

        (await FlushAsync(mesh, collector)).ShouldHaveSingleItem()["guid:x-request-id"]![14].ShouldBe('9');
    }

    [Fact]
    public async Task What_the_caller_runs_under_is_followed_and_stays_current()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = Traced(server, collector, Otlp(), tracing: tracing => tracing.RandomSampling = new() { Value = 0 });
        using var mine = new Activity("mine") { ActivityTraceFlags = ActivityTraceFlags.Recorded };
        mine.Start();

        using (var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within())
        {
            Activity.Current.ShouldBeSameAs(mine);
            await response.Content.ReadAsStringAsync().Within();
        }

        Activity.Current.ShouldBeSameAs(mine);
        mine.Stop();
        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        (span.TraceId, span.ParentId).ShouldBe((mine.TraceId.ToHexString(), mine.SpanId.ToHexString()));
    }

    [Fact]
    public async Task A_failure_is_an_error_with_its_flags_and_each_attempt_an_event()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        });
        await using var mesh = Traced(server, collector, Otlp());
        var routes = Setup.Routes("reviews:9080", Setup.Prefix("/", "reviews:9080", "all"));
        routes.VirtualHosts[0].Routes[0].Route_.RetryPolicy = new()
        {
            RetryOn = "5xx",
            NumRetries = 1,
            RetryBackOff = new() { BaseInterval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) },
        };
        mesh.Xds.Set(RouteConfigurationType.Instance, routes);

        using (await mesh.Client().GetAsync("http://reviews:9080/").Within())
        {
        }

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        span.IsError.ShouldBeTrue();
        (span["error"], span["error.type"], span["response_flags"], span["mesh.attempts"], span["mesh.route"], span["http.request.resend_count"]).ShouldBe(("true", "503", "URX", "2", "all", "1"));
        span.Events.Select(e => (e.Name, e.Tags["mesh.attempt"], e.Tags["http.response.status_code"])).ShouldBe([("mesh.attempt", "1", "503"), ("mesh.attempt", "2", "503")]);
    }

    [Fact]
    public async Task A_request_that_nobody_answers_is_an_error_with_the_meshs_own_words()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(_ => Task.CompletedTask);
        await using var mesh = Traced(server, collector, Otlp());
        mesh.SetEndpoints("reviews:9080");

        using (await mesh.Client().GetAsync("http://reviews:9080/").Within())
        {
        }

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        (span.IsError, span["response_flags"], span["mesh.response_code_details"], span["http.status_code"]).ShouldBe((true, "UH", "no_healthy_upstream", "503"));
    }

    [Fact]
    public async Task Names_and_tags_are_the_configurations_where_it_has_them()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var server = await WebServer.StartAsync(_ => Task.CompletedTask);
        await using var mesh = Traced(server, collector, Otlp(), tracing: tracing =>
        {
            tracing.Operation = "%REQ(:METHOD)% of %REQ(:AUTHORITY)%";
            tracing.MaxPathTagLength = 4;
            tracing.CustomTags.Add(new Envoy.Type.Tracing.V3.CustomTag { Tag = "stage", Literal = new() { Value = "test" } });
            tracing.CustomTags.Add(new Envoy.Type.Tracing.V3.CustomTag { Tag = "who", RequestHeader = new() { Name = "x-user", DefaultValue = "nobody" } });
            tracing.CustomTags.Add(new Envoy.Type.Tracing.V3.CustomTag { Tag = "code", Value = "%RESPONSE_CODE%" });
        });

        await mesh.Client().GetStringAsync("http://reviews:9080/abcdefgh").Within();

        var span = (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        (span.Name, span["stage"], span["who"], span["code"], span["http.url"]).ShouldBe(("GET of reviews:9080", "test", "nobody", "200", "http://reviews:9080/abc"));

        var routes = Setup.Routes("reviews:9080", Setup.Prefix("/", "reviews:9080", "all"));
        routes.VirtualHosts[0].Routes[0].Decorator = new() { Operation = "reviews.default.svc.cluster.local:9080/*" };
        mesh.Xds.Set(RouteConfigurationType.Instance, routes);
        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();

        (await FlushAsync(mesh, collector))[1].Name.ShouldBe("reviews.default.svc.cluster.local:9080/*");
    }

    [Fact]
    public async Task Nobody_is_told_of_the_trace_where_that_is_not_wanted()
    {
        await using var collector = await TraceCollector.StartAsync();
        IHeaderDictionary? seen = null;
        await using var server = await WebServer.StartAsync(context =>
        {
            seen = Copy(context);
            return Task.CompletedTask;
        });
        await using var mesh = Traced(server, collector, Otlp(), tracing: tracing => tracing.NoContextPropagation = true);

        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();

        (await FlushAsync(mesh, collector)).ShouldHaveSingleItem();
        seen!.ContainsKey("traceparent").ShouldBeFalse();
        seen.ContainsKey("x-request-id").ShouldBeTrue();
    }

    private static HeaderDictionary Copy(HttpContext context)
        => new(context.Request.Headers.ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase));

    private static OpenTelemetryConfig Otlp() => new()
    {
        HttpService = new() { HttpUri = new() { Uri = "http://collector.example/v1/traces", Cluster = "collector", Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) } },
    };

    private static ClientMesh Traced(
        WebServer server, TraceCollector collector, IMessage provider, Action<MeshOptions>? options = null, Action<HcmTracing>? tracing = null, bool http2 = false)
    {
        var mesh = ClientMesh.Create(options: options).Serve("reviews:9080", server.Port).SetCluster("collector", http2).SetEndpoints("collector", collector.Port);
        var listener = Setup.Listener("reviews:9080", "reviews:9080");
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        manager.Tracing = new() { Provider = new() { Name = "tracer", TypedConfig = Any.Pack(provider) } };
        tracing?.Invoke(manager.Tracing);
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        mesh.Xds.Set(ListenerType.Instance, listener);
        return mesh;
    }

    private static async Task<IReadOnlyList<CollectedSpan>> FlushAsync(ClientMesh mesh, TraceCollector collector)
    {
        await mesh.Services.GetRequiredService<MeshTracing>().FlushAsync(default).Within();
        return collector.Spans;
    }
}
