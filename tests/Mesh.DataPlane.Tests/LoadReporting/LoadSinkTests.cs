using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.LoadReporting;

/// <summary>What becomes of a request's record in the numbers of its cluster.</summary>
public class LoadSinkTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Cluster _cluster = new("reviews");
    private readonly Endpoint _endpoint;

    public LoadSinkTests()
    {
        var resource = new EndpointResource(new IPEndPoint(IPAddress.Loopback, 80), "", 1, EndpointHealth.Healthy, new Dictionary<string, string>());
        _endpoint = new Endpoint(resource, "eu/a", 0, new EndpointState(() => throw new InvalidOperationException())) { Load = _cluster.Load.Of(new LocalityResource("eu/a", 0, 1, [resource]), resource) };
    }

    [Fact]
    public void What_the_caller_got_counts_at_the_endpoint_that_answered_last()
    {
        End(Reporter.Source, _endpoint, 200, "via_upstream", TimeSpan.FromMilliseconds(7));
        End(Reporter.Source, _endpoint, 504, "response_timeout", TimeSpan.FromMilliseconds(3));

        var load = _endpoint.Load;
        (load.Value(LoadCount.Requests2xx), load.Value(LoadCount.Requests5xx), load.Value(LoadCount.RequestMicroseconds)).ShouldBe((1, 1, 10_000));
        _cluster.Load.Replied.ShouldBeEmpty();
    }

    [Fact]
    public void What_no_endpoint_was_asked_counts_at_the_cluster_with_its_reason()
    {
        End(Reporter.Source, null, 500, "fault_filter_abort", TimeSpan.Zero);
        End(Reporter.Source, null, 0, "downstream_remote_disconnect", TimeSpan.Zero);

        (_cluster.Load.Unsent.Value(LoadCount.Requests5xx), _cluster.Load.Unsent.Value(LoadCount.RequestsWithoutStatus)).ShouldBe((1, 1));
        _cluster.Load.Replied.ToDictionary(r => r.Key, r => r.Value.Value).ShouldBe(new Dictionary<string, long> { ["fault_filter_abort"] = 1 });
    }

    [Fact]
    public void What_comes_in_is_the_caller_s_to_report()
    {
        End(Reporter.Destination, _endpoint, 200, "via_upstream", TimeSpan.Zero);
        _endpoint.Load.Value(LoadCount.Requests2xx).ShouldBe(0);
    }

    [Fact]
    public void A_request_costs_no_allocation()
    {
        var signals = new RequestSignals(Reporter.Source, [new LoadSink()], null, _time);
        Allocations.Of(i => End(signals, i % 7 == 0 ? null : _endpoint, 200 + (i % 400), "via_upstream")).ShouldBe(0);
    }

    private void End(Reporter reporter, Endpoint? endpoint, int status, string details, TimeSpan duration)
    {
        var record = Begin(new RequestSignals(reporter, [new LoadSink()], null, _time), endpoint, status, details);
        _time.Advance(duration);
        record.Release();
    }

    private void End(RequestSignals signals, Endpoint? endpoint, int status, string details) => Begin(signals, endpoint, status, details).Release();

    private RequestRecord Begin(RequestSignals signals, Endpoint? endpoint, int status, string details)
    {
        var record = signals.Begin()!;
        (record.Cluster, record.Endpoint, record.Status, record.Details) = (_cluster, endpoint, status, details);
        return record;
    }
}
