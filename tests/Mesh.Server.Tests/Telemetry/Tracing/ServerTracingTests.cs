using System.Diagnostics;
using Mesh.Client.Tests.Telemetry.Tracing;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.Server.Telemetry;
using Mesh.Server.Tests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Tests.Telemetry.Tracing;

/// <summary>The spans and ids of requests that come in by the server's door.</summary>
[Collection(nameof(ActivityListeners))]
public sealed class ServerTracingTests
{
    private const string Trace = "463ac35c9f6413ad48485a3953bb6124";
    private const string Span = "0020000000000001";
    private const string Unsampled = "00000064-0000-4000-8000-000000000000";

    [Fact]
    public async Task Without_a_listener_a_collector_and_a_caller_that_traces_there_is_no_span()
    {
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", () => Activity.Current?.Id ?? "none"));

        (await host.SendAsync("/")).Body.ShouldBe("none");
    }

    [Theory]
    [InlineData("traceparent", $"00-{Trace}-{Span}-01", "01")]
    [InlineData("traceparent", $"00-{Trace}-{Span}-00", "00")]
    [InlineData("b3", $"{Trace}-{Span}-1", "01")]
    [InlineData("x-b3-traceid", Trace, "01")]
    public async Task What_is_called_from_here_belongs_to_the_callers_trace_even_where_nobody_listens(string header, string value, string flags)
    {
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", () => $"{Activity.Current!.Id} {Activity.Current.ParentSpanId}"));

        var answer = await host.SendAsync("/", header == "x-b3-traceid" ? [(header, value), ("x-b3-spanid", Span), ("x-b3-sampled", "1")] : [(header, value)]);

        answer.Body.ShouldStartWith($"00-{Trace}-");
        answer.Body.ShouldEndWith($"-{flags} {Span}");
    }

    [Fact]
    public async Task The_next_request_of_a_connection_is_in_no_trace_of_the_one_before()
    {
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", (HttpContext context) => $"{context.Connection.Id} {Activity.Current?.TraceId.ToHexString() ?? "none"}"));

        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("traceparent", $"00-{Trace}-{Span}-00");

        using var answer = await client.SendAsync(request);
        var traced = (await answer.Content.ReadAsStringAsync()).Split(' ');
        var next = (await client.GetStringAsync("/")).Split(' ');

        traced[1].ShouldBe(Trace);
        next.ShouldBe([traced[0], "none"]);
    }

    [Theory]
    [InlineData("b3", $"{Trace}-{Span}-1")]
    [InlineData("x-b3-traceid", Trace)]
    public async Task The_servers_own_activity_follows_B3(string header, string value)
    {
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapGet("/", () => $"{Activity.Current!.OperationName} {Activity.Current.TraceId} {Activity.Current.ParentSpanId}"),
            services: builder =>
            {
                Log(builder);
                builder.Services.AddSingleton(MeshContextPropagator.Over(null));
            });

        var answer = await host.SendAsync("/", header == "x-b3-traceid" ? [(header, value), ("x-b3-spanid", Span), ("x-b3-sampled", "1")] : [(header, value)]);

        answer.Body.ShouldBe($"Microsoft.AspNetCore.Hosting.HttpRequestIn {Trace} {Span}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_that_is_traced_is_one_span_of_the_server_whoever_has_made_it(bool logs)
    {
        await using var collector = await TraceCollector.StartAsync();
        using var tracing = Traced(collector, 0);
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapGet("/products/{id}", (string id) => Activity.Current!.SpanId.ToHexString()),
            tracing: tracing,
            services: builder =>
            {
                if (logs)
                {
                    Log(builder);
                }
            });

        var answer = await host.SendAsync("/products/7?secret=1", ("traceparent", $"00-{Trace}-{Span}-01"), ("user-agent", "test"), ("x-request-id", Unsampled));

        await host.Records.EndedAsync(1);
        await tracing.FlushAsync(default);
        var span = collector.Spans.ShouldHaveSingleItem();
        (span.TraceId, span.ParentId, span.Id, span.Kind).ShouldBe((Trace, Span, answer.Body, "Server"));
        span.Name.ShouldBe("GET /products/{id}");
        var tags = new Dictionary<string, string?>
        {
            ["http.request.method"] = "GET",
            ["http.response.status_code"] = "200",
            ["http.route"] = "/products/{id}",
            ["url.scheme"] = "http",
            ["url.path"] = "/products/7",
            ["url.query"] = "*",
            ["server.address"] = "reviews",
            ["server.port"] = "9080",
            ["network.protocol.version"] = "1.1",
            ["network.peer.address"] = "127.0.0.1",
            ["peer.address"] = "127.0.0.1",
            ["component"] = "proxy",
            ["guid:x-request-id"] = Unsampled,
            ["http.url"] = "http://reviews:9080/products/7?*",
            ["user_agent"] = "test",
            ["response_flags"] = "-",
            ["istio.canonical_service"] = "reviews",
        };
        foreach (var (name, value) in tags)
        {
            span[name].ShouldBe(value, name);
        }

        span["error"].ShouldBeNull();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_meshs_rate_decides_about_traces_that_begin_here(bool logs)
    {
        await using var collector = await TraceCollector.StartAsync();
        using var tracing = Traced(collector, 1);
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapGet("/", (HttpContext context) => $"{Activity.Current?.Recorded} {context.Request.Headers["x-request-id"]}"),
            tracing: tracing,
            services: builder =>
            {
                if (logs)
                {
                    Log(builder);
                }
            });

        (await host.SendAsync("/", ("x-request-id", Unsampled))).Body.ShouldBe($"False {Unsampled}");
        (await host.SendAsync("/", ("x-request-id", "00000063-0000-4000-8000-000000000000"))).Body.ShouldBe("True 00000063-0000-a000-8000-000000000000");

        await host.Records.EndedAsync(2);
        await tracing.FlushAsync(default);
        collector.Spans.ShouldHaveSingleItem()["guid:x-request-id"].ShouldBe("00000063-0000-a000-8000-000000000000");
    }

    [Fact]
    public async Task An_applications_sampler_wins()
    {
        await using var collector = await TraceCollector.StartAsync();
        using var tracing = Traced(collector, 100);
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", () => $"{Activity.Current?.Recorded}"), tracing: tracing);

        (await host.SendAsync("/")).Body.ShouldBe("False");

        await host.Records.EndedAsync(1);
        await tracing.FlushAsync(default);
        collector.Spans.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_application_records_is_enriched_and_not_recorded_twice()
    {
        var stopped = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.AspNetCore" or "Mesh",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = stopped.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", () => Results.StatusCode(503)));

        (await host.SendAsync("/", ("x-request-id", Unsampled))).Status.ShouldBe(503);

        await host.Records.EndedAsync(1);
        var answered = host.DisposeAsync();
        await answered;
        var span = stopped.ShouldHaveSingleItem();
        span.Source.Name.ShouldBe("Microsoft.AspNetCore");
        span.GetTagItem("guid:x-request-id").ShouldBe(Unsampled);
        span.GetTagItem("response_flags").ShouldBe("-");
        span.GetTagItem("error").ShouldBe("true");
        span.Status.ShouldBe(ActivityStatusCode.Error);
    }

    [Fact]
    public async Task The_id_of_the_request_is_where_calls_on_its_behalf_find_it()
    {
        await using var host = await DoorHost.StartAsync(
            manager => manager.AlwaysSetRequestIdInResponse = true,
            app => app.MapGet("/", async () =>
            {
                await Task.Yield();
                return ServedRequest.Id;
            }));

        var given = await host.SendAsync("/", ("x-request-id", "order-4711"));
        var made = await host.SendAsync("/");

        given.Body.ShouldBe("order-4711");
        Guid.TryParseExact(made.Body, "D", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Calls_on_behalf_of_a_request_that_is_traced_carry_the_id_that_says_so()
    {
        await using var collector = await TraceCollector.StartAsync();
        using var tracing = Traced(collector, 100);
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapGet("/", (HttpContext context) => $"{ServedRequest.Id} {context.Request.Headers["x-request-id"]}"),
            tracing: tracing);

        var answer = await host.SendAsync("/", ("x-request-id", Unsampled));

        answer.Body.ShouldBe("00000064-0000-a000-8000-000000000000 00000064-0000-a000-8000-000000000000");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Who_is_outside_may_name_a_request_where_that_is_allowed_but_not_have_it_traced(bool preserves, bool stays)
    {
        await using var host = await DoorHost.StartAsync(
            manager =>
            {
                manager.UseRemoteAddress = true;
                manager.PreserveExternalRequestId = preserves;
            },
            app => app.MapGet("/", (HttpContext context) => context.Request.Headers["x-request-id"].ToString()));

        var answer = await host.SendAsync("/", ("x-request-id", "cd30da12-ee24-9429-b188-2d494017c083"));

        (answer.Body == "cd30da12-ee24-4429-b188-2d494017c083").ShouldBe(stays);
        answer.Body[14].ShouldBe('4');
    }

    private static MeshTracing Traced(TraceCollector collector, double rate) => new(
        TimeProvider.System,
        new MeshTracingOptions { OtlpEndpoint = new Uri(collector.Address, "/v1/traces"), Sampling = rate },
        TracedWorkload.Of(new MeshOptions { Workload = new MeshWorkload("reviews") }, null));

    // Where anybody logs, ASP.NET Core makes an activity of each request.
    private static void Log(WebApplicationBuilder builder) => builder.Logging.AddProvider(new Mesh.Client.Tests.RecordedLogs());
}
