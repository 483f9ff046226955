using System.Net;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

/// <summary>Connections that carry no requests, in Istio's metrics.</summary>
public class ConnectionMetricsTests
{
    private static readonly string[] Families = ["istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total", "istio_tcp_received_bytes_total", "istio_tcp_sent_bytes_total"];

    [Fact]
    public void A_connection_is_opened_at_its_beginning_and_its_bytes_are_counted_now_and_then_and_at_its_end()
    {
        var listener = new MeasuredListener();
        var meter = Client(listener);
        meter.Begin();
        meter.Received(100);
        meter.Sent(5000);
        Values(listener).ShouldBe([1, 0, 0, 0]);

        listener.Time.Advance(TimeSpan.FromSeconds(5));
        Values(listener).ShouldBe([1, 0, 100, 5000]);

        meter.Sent(1);
        listener.Time.Advance(TimeSpan.FromSeconds(4));
        Values(listener).ShouldBe([1, 0, 100, 5000]);
        listener.Time.Advance(TimeSpan.FromSeconds(1));
        Values(listener).ShouldBe([1, 0, 100, 5001]);

        meter.Received(10);
        meter.End();
        meter.End();
        Values(listener).ShouldBe([1, 1, 110, 5001]);

        // A read that was under way.
        meter.Sent(2);
        Values(listener).ShouldBe([1, 1, 110, 5003]);
        listener.Time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public void The_listener_says_how_often()
    {
        var listener = new MeasuredListener();
        var often = Client(listener, new StatsSettings { Identity = "a", TcpReportingDuration = TimeSpan.FromSeconds(1) });
        var never = Client(listener, new StatsSettings { Identity = "b", TcpReportingDuration = TimeSpan.Zero });
        often.Begin();
        never.Begin();
        often.Received(1);
        never.Received(1000);

        listener.Time.Advance(TimeSpan.FromSeconds(60));
        Values(listener).ShouldBe([2, 0, 1, 0]);
        never.End();
        Values(listener).ShouldBe([2, 1, 1001, 0]);
    }

    [Fact]
    public void It_has_the_labels_that_Istio_gives_it()
    {
        var listener = new MeasuredListener();
        var meter = Client(listener);
        meter.Endpoint = MeasuredListener.ReviewsV3(new Principals("spiffe://cluster.local/ns/default/sa/web", "spiffe://cluster.local/ns/default/sa/reviews"));
        meter.Begin();

        var labels = Exposition.Labels(listener.Registry, Families[0]);
        labels["reporter"].ShouldBe("source");
        labels["source_workload"].ShouldBe("productpage-v1");
        labels["destination_workload"].ShouldBe("reviews-v3");
        labels["destination_principal"].ShouldBe("spiffe://cluster.local/ns/default/sa/reviews");
        labels["destination_service"].ShouldBe("reviews.default.svc.cluster.local");
        labels["request_protocol"].ShouldBe("tcp");
        labels["response_flags"].ShouldBe("-");
        labels["connection_security_policy"].ShouldBe("unknown");
        labels.ShouldNotContainKey("response_code");
        labels.ShouldNotContainKey("grpc_response_status");
    }

    [Theory]
    [InlineData("PassthroughCluster")]
    [InlineData("BlackHoleCluster")]
    public void What_leaves_the_mesh_or_would_have_is_under_the_names_of_Istio(string cluster)
    {
        var listener = new MeasuredListener();
        listener.Metrics.Connections(StatsSettings.Of(Reporter.Source), Reporter.Source, null).Measure(cluster, known: null).Fail("UH");

        var labels = Exposition.Labels(listener.Registry, Families[0]);
        (labels["destination_service"], labels["destination_service_name"], labels["response_flags"]).ShouldBe(("unknown", cluster, "UH"));
        Values(listener).ShouldBe([1, 1, 0, 0]);
    }

    [Fact]
    public void How_it_ended_is_told_of_its_end_alone()
    {
        var listener = new MeasuredListener();
        var meter = Client(listener);
        meter.Begin();
        meter.End("DT");

        Exposition.Lines(listener.Registry, Families[0]).Single(l => l.EndsWith(" 1", StringComparison.Ordinal)).ShouldContain("response_flags=\"-\"");
        Exposition.Lines(listener.Registry, Families[1]).Single(l => l.EndsWith(" 1", StringComparison.Ordinal)).ShouldContain("response_flags=\"DT\"");
    }

    [Theory]
    [InlineData(true, "reviews")]
    [InlineData(false, "InboundPassthroughCluster")]
    public void A_server_counts_for_the_service_that_its_listener_names(bool isNamed, string expected)
    {
        var listener = new MeasuredListener();
        var own = isNamed ? new ServiceNames("reviews.default.svc.cluster.local", "reviews", "default") : null;
        var facts = new ConnectionFacts { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 4711), IsTls = true, LocalUriName = "spiffe://cluster.local/ns/default/sa/web" };
        listener.Metrics.Connections(StatsSettings.Of(Reporter.Destination), Reporter.Destination, own).Measure(facts).Begin();

        var labels = Exposition.Labels(listener.Registry, Families[0]);
        (labels["reporter"], labels["destination_service_name"], labels["destination_workload"]).ShouldBe(("destination", expected, "productpage-v1"));
        (labels["source_workload"], labels["destination_principal"]).ShouldBe(("unknown", "spiffe://cluster.local/ns/default/sa/web"));
    }

    [Fact]
    public void Metrics_are_dropped_and_labels_added_as_for_requests()
    {
        var settings = new StatsSettings
        {
            Identity = "changed",
            Changes =
            [
                new StatsSettings.MetricChange("tcp_sent_bytes_total", IsDropped: true, [], []),
                new StatsSettings.MetricChange("tcp_connections_opened_total", IsDropped: false, ["response_flags"], [("from", CelExpression.Parse("source.address"))]),
            ],
        };
        var listener = new MeasuredListener();
        var meter = listener.Metrics.Connections(settings, Reporter.Destination, null).Measure(new ConnectionFacts { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 4711) });
        meter.Begin();
        meter.Sent(7);
        meter.End();

        Exposition.Lines(listener.Registry, "istio_tcp_sent_bytes_total{").ShouldBeEmpty();
        var labels = Exposition.Labels(listener.Registry, Families[0]);
        labels["from"].ShouldStartWith("127.0.0.1");
        labels.ShouldNotContainKey("response_flags");
    }

    [Fact]
    public void Label_sets_that_nobody_uses_go_and_that_of_an_open_connection_stays_right()
    {
        var settings = new StatsSettings { Identity = "rotating", RotationInterval = TimeSpan.FromMinutes(10), GracefulDeletionInterval = TimeSpan.FromMinutes(1) };
        var listener = new MeasuredListener();
        var meter = Client(listener, settings);
        meter.Begin();
        Client(listener, settings).Fail("UF");
        Exposition.Lines(listener.Registry, Families[0] + "{").Length.ShouldBe(2);

        for (var i = 0; i < 3; i++)
        {
            meter.Received(1);
            listener.Time.Advance(TimeSpan.FromMinutes(10));
            Exposition.Text(listener.Registry);
            meter.Received(1);
            listener.Time.Advance(TimeSpan.FromMinutes(1));
            Exposition.Text(listener.Registry);
        }

        Exposition.Lines(listener.Registry, Families[0] + "{").ShouldHaveSingleItem().ShouldContain("response_flags=\"-\"");
        Values(listener).ShouldBe([1, 0, 6, 0]);
    }

    private static ConnectionMeter Client(MeasuredListener listener, StatsSettings? settings = null)
        => listener.Metrics.Connections(settings ?? StatsSettings.Of(Reporter.Source), Reporter.Source, null)
            .Measure("outbound|3306||reviews.default.svc.cluster.local", new ServiceNames("reviews.default.svc.cluster.local", "reviews", "default"));

    private static double[] Values(MeasuredListener listener)
        => [.. Families.Select(name => Exposition.Lines(listener.Registry, name + "{").Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture)))];
}
