using Microsoft.Extensions.DependencyInjection;
using Mesh.Xds.Metrics;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using System.Net;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Common.Fault.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Testing;
using Shouldly;
using Xunit;
using Denominator = Envoy.Type.V3.FractionalPercent.Types.DenominatorType;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class FaultTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.fault";

    private static readonly FractionalPercent All = new() { Numerator = 100 };

    private readonly FilterMesh _mesh = new();

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task A_delay_lasts_to_the_millisecond_and_is_flagged()
    {
        var sending = Delayed(Delay(TimeSpan.FromSeconds(7)));

        _mesh.Time.Advance(TimeSpan.FromMilliseconds(6999));
        sending.IsCompleted.ShouldBeFalse();
        _mesh.Received.ShouldBeEmpty();

        _mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        var response = await sending;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Flags().ShouldBe("DI");
        _mesh.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_delay_that_is_longer_than_the_callers_patience_ends_with_it()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(6), _mesh.Time);
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Delay = Delay(TimeSpan.FromSeconds(7)), MaxActiveFaults = 1 }));
        var sending = _mesh.Client.GetAsync("/", patience.Token);

        _mesh.Time.Advance(TimeSpan.FromSeconds(6));
        await Should.ThrowAsync<OperationCanceledException>(sending);
        _mesh.Received.ShouldBeEmpty();

        // And it does not count any more.
        var next = _mesh.GetAsync();
        next.IsCompleted.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromSeconds(7));
        (await next).Flags().ShouldBe("DI");
    }

    [Fact]
    public async Task What_is_injected_is_counted()
    {
        var registry = _mesh.Services.GetRequiredService<MetricRegistry>();
        double Count(string name) => Exposition.Value(registry, $"envoy_http_fault_{name}{{envoy_http_conn_manager_prefix=\"test\"}}");
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Delay = Delay(TimeSpan.FromSeconds(7)), MaxActiveFaults = 1 }));

        var delayed = _mesh.GetAsync();
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (Count("delays_injected"), Count("faults_overflow"), Count("active_faults")).ShouldBe((1, 1, 1));
        _mesh.Time.Advance(TimeSpan.FromSeconds(7));
        (await delayed).Dispose();
        Count("active_faults").ShouldBe(0);

        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { HttpStatus = 503, Percentage = All } }));
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (Count("aborts_injected"), Count("delays_injected"), Count("active_faults")).ShouldBe((1, 1, 0));
    }

    [Fact]
    public async Task A_delay_is_no_part_of_the_routes_timeout()
    {
        var route = Resources.Prefix("/", "v1");
        route.Route_.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
        _mesh.Route(route);
        var sending = Delayed(Delay(TimeSpan.FromSeconds(5)));

        _mesh.Time.Advance(TimeSpan.FromSeconds(5));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_abort_answers_in_place_of_the_upstream()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { HttpStatus = 500, Percentage = All } }));

        var response = await _mesh.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Text()).ShouldBe("fault filter abort");
        response.Flags().ShouldBe("FI");
        response.Details().ShouldBe("fault_filter_abort");
        response.RequestMessage!.Options.TryGetValue(MeshRequest.Attempts, out _).ShouldBeFalse();
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_abort_is_never_retried()
    {
        var route = Resources.Prefix("/", "v1");
        route.Route_.RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 3 };
        _mesh.Route(route).Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { HttpStatus = 503, Percentage = All } }));

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_delay_and_an_abort_come_one_after_the_other()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault
        {
            Delay = Delay(TimeSpan.FromSeconds(2)),
            Abort = new FaultAbort { HttpStatus = 418, Percentage = All },
        }));
        var sending = _mesh.GetAsync();
        sending.IsCompleted.ShouldBeFalse();

        _mesh.Time.Advance(TimeSpan.FromSeconds(2));

        var response = await sending;
        response.StatusCode.ShouldBe((HttpStatusCode)418);
        response.Flags().ShouldBe("DI,FI");
    }

    [Theory]
    [InlineData(null, 14)]
    [InlineData(7, 7)]
    public async Task A_grpc_caller_gets_a_trailers_only_answer(int? grpcStatus, int expected)
    {
        var abort = grpcStatus is { } status
            ? new FaultAbort { GrpcStatus = (uint)status, Percentage = All }
            : new FaultAbort { HttpStatus = 503, Percentage = All };
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = abort }));
        var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.TryAddWithoutValidation("content-type", "application/grpc");

        var response = await _mesh.Client.PostAsync("/pkg.Service/Method", content);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Version.ShouldBe(HttpVersion.Version20);
        response.Header("content-type").ShouldBe("application/grpc");
        response.Header("grpc-status").ShouldBe(expected.ToString());
        response.Header("grpc-message").ShouldBe("fault filter abort");
    }

    [Fact]
    public async Task A_grpc_status_is_a_200_for_others()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { GrpcStatus = 14, Percentage = All } }));

        var response = await _mesh.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Text()).ShouldBe("fault filter abort");
        _mesh.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(25u, 100, 100, 25)]
    [InlineData(25u, 10_000, 10_000, 25)]
    [InlineData(1000u, 1_000_000, 1000, 1)]
    [InlineData(0u, 100, 100, 0)]
    [InlineData(200u, 100, 100, 100)]
    public async Task Exactly_the_share_is_aborted(uint numerator, int denominator, int requests, int aborted)
    {
        // One draw for the route and one for the fault: each of the two goes evenly through its values.
        var random = new EveryOther(new EvenRandomSource(requests));
        await using var mesh = new FilterMesh(random);
        mesh.Listen(FilterMesh.Filter(Name, new HTTPFault
        {
            Abort = new FaultAbort { HttpStatus = 503, Percentage = new FractionalPercent { Numerator = numerator, Denominator = DenominatorOf(denominator) } },
        }));

        (await mesh.GetAsync()).Dispose();
        random.Begin();
        var replies = 0;
        for (var i = 0; i < requests; i++)
        {
            // A response that nobody disposes of keeps its place in the circuit breaker.
            using var response = await mesh.GetAsync();
            replies += response.StatusCode == HttpStatusCode.ServiceUnavailable ? 1 : 0;
        }

        replies.ShouldBe(aborted);
    }

    [Fact]
    public async Task Only_requests_that_match_suffer()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault
        {
            Abort = new FaultAbort { HttpStatus = 500, Percentage = All },
            Headers = { new HeaderMatcher { Name = "end-user", StringMatch = new() { Exact = "jason" } }, new HeaderMatcher { Name = ":path", StringMatch = new() { Prefix = "/ratings" } } },
            UpstreamCluster = "v1",
            DownstreamNodes = { "node-1" },
        }));

        (await Status("/ratings", ("end-user", "jason"), ("x-envoy-downstream-service-node", "node-1"))).ShouldBe(500);
        (await Status("/ratings", ("end-user", "anna"), ("x-envoy-downstream-service-node", "node-1"))).ShouldBe(200);
        (await Status("/reviews", ("end-user", "jason"), ("x-envoy-downstream-service-node", "node-1"))).ShouldBe(200);
        (await Status("/ratings", ("end-user", "jason"), ("x-envoy-downstream-service-node", "node-2"))).ShouldBe(200);
        (await Status("/ratings", ("end-user", "jason"))).ShouldBe(200);

        _mesh.AddCluster("v22").Route(Resources.Prefix("/", "v22"));
        (await Status("/ratings", ("end-user", "jason"), ("x-envoy-downstream-service-node", "node-1"))).ShouldBe(200);
    }

    [Fact]
    public async Task A_route_has_its_own_fault()
    {
        var route = Resources.Prefix("/", "v1");
        route.TypedPerFilterConfig.Add(Name, Any.Pack(new HTTPFault { Abort = new FaultAbort { HttpStatus = 401, Percentage = All } }));
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault())).Route(route);

        (await Status("/")).ShouldBe(401);
    }

    [Fact]
    public async Task A_request_may_ask_for_its_own_delay()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Delay = new FaultDelay { HeaderDelay = new(), Percentage = All } }));

        (await _mesh.GetAsync()).Flags().ShouldBeNull();
        (await _mesh.GetAsync("/", ("x-envoy-fault-delay-request", "soon"))).Flags().ShouldBeNull();
        (await _mesh.GetAsync("/", ("x-envoy-fault-delay-request", "500"), ("x-envoy-fault-delay-request-percentage", "0"))).Flags().ShouldBeNull();
        var sending = _mesh.GetAsync("/", ("x-envoy-fault-delay-request", "500"));
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(499));
        sending.IsCompleted.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await sending).Flags().ShouldBe("DI");
    }

    [Fact]
    public async Task A_request_may_ask_for_its_own_abort_within_the_share()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { HeaderAbort = new(), Percentage = All } }));

        (await Status("/")).ShouldBe(200);
        (await Status("/", ("x-envoy-fault-abort-request", "404"))).ShouldBe(404);
        (await Status("/", ("x-envoy-fault-abort-request", "199"))).ShouldBe(200);
        (await Status("/", ("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "0"))).ShouldBe(200);

        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Abort = new FaultAbort { HeaderAbort = new(), Percentage = new() } }));
        (await Status("/", ("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "100"))).ShouldBe(200);
    }

    [Fact]
    public async Task No_more_requests_suffer_at_once_than_may()
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Delay = Delay(TimeSpan.FromSeconds(1)), MaxActiveFaults = 2 }));
        var first = _mesh.GetAsync();
        var second = _mesh.GetAsync();

        (await _mesh.GetAsync()).Flags().ShouldBeNull();

        _mesh.Time.Advance(TimeSpan.FromSeconds(1));
        (await first).Flags().ShouldBe("DI");
        (await second).Flags().ShouldBe("DI");
        _mesh.GetAsync().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_response_comes_no_faster_than_its_rate()
    {
        // 20 KiB a second are 1 KiB every 50 milliseconds, the first at once.
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault
        {
            ResponseRateLimit = new FaultRateLimit { FixedLimit = new() { LimitKbps = 20 }, Percentage = All },
            MaxActiveFaults = 1,
        }));
        _mesh.Respond = _ => new HttpResponseMessage { Content = new ByteArrayContent(new byte[2500]) };
        var response = await _mesh.GetAsync();
        response.Content.Headers.ContentLength.ShouldBe(2500);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[10_000];

        (await body.ReadAsync(buffer)).ShouldBe(1024);
        var next = body.ReadAsync(buffer).AsTask();
        next.IsCompleted.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(49));
        next.IsCompleted.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await next).ShouldBe(1024);
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(500));
        (await body.ReadAsync(buffer)).ShouldBe(452);
        (await body.ReadAsync(buffer)).ShouldBe(0);

        // The fault lasts as long as the response.
        var meanwhile = await _mesh.GetAsync();
        (await meanwhile.Content.ReadAsByteArrayAsync()).Length.ShouldBe(2500);
        response.Dispose();
        var after = (await _mesh.GetAsync()).Content.ReadAsByteArrayAsync();
        after.IsCompleted.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(100));
        (await after).Length.ShouldBe(2500);
    }

    private static Denominator DenominatorOf(int number)
        => number switch
        {
            100 => Denominator.Hundred,
            10_000 => Denominator.TenThousand,
            _ => Denominator.Million,
        };

    private static FaultDelay Delay(TimeSpan duration) => new() { FixedDelay = Duration.FromTimeSpan(duration), Percentage = All };

    private Task<HttpResponseMessage> Delayed(FaultDelay delay)
    {
        _mesh.Listen(FilterMesh.Filter(Name, new HTTPFault { Delay = delay }));
        var sending = _mesh.GetAsync();
        sending.IsCompleted.ShouldBeFalse();
        return sending;
    }

    private async Task<int> Status(string path, params (string Name, string Value)[] headers)
    {
        using var response = await _mesh.GetAsync(path, headers);
        return (int)response.StatusCode;
    }

    /// <summary>Gives the even values to every second draw, and zero to the others.</summary>
    private sealed class EveryOther(IRandomSource inner) : IRandomSource
    {
        private int _count;

        // The first request makes clusters, which draw as well.
        public void Begin() => _count = 0;

        public ulong NextUInt64() => (_count++ & 1) == 0 ? 0 : inner.NextUInt64();
    }
}
