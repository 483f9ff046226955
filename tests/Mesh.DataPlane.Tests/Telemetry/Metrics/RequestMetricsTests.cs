using System.Diagnostics;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class RequestMetricsTests
{
    private const string ProductpageId = "spiffe://cluster.local/ns/default/sa/bookinfo-productpage";
    private const string ReviewsId = "spiffe://cluster.local/ns/default/sa/bookinfo-reviews";

    [Fact]
    public void A_client_reports_all_labels_of_Istio()
    {
        var listener = new MeasuredListener();
        var endpoint = MeasuredListener.ReviewsV3(new Principals(ProductpageId, ReviewsId));

        listener.Request(r => r.Endpoint = endpoint);

        Exposition.Lines(listener.Registry, "istio_requests_total").ShouldBe(
        [
            "istio_requests_total{reporter=\"source\",source_workload=\"productpage-v1\",source_canonical_service=\"productpage\",source_canonical_revision=\"v1\","
            + "source_workload_namespace=\"default\",source_principal=\"spiffe://cluster.local/ns/default/sa/bookinfo-productpage\",source_app=\"productpage\","
            + "source_version=\"v1\",source_cluster=\"Kubernetes\",destination_workload=\"reviews-v3\",destination_workload_namespace=\"default\","
            + "destination_principal=\"spiffe://cluster.local/ns/default/sa/bookinfo-reviews\",destination_app=\"reviews\",destination_version=\"v3\","
            + "destination_service=\"reviews.default.svc.cluster.local\",destination_canonical_service=\"reviews\",destination_canonical_revision=\"v3\","
            + "destination_service_name=\"reviews\",destination_service_namespace=\"default\",destination_cluster=\"Kubernetes\",request_protocol=\"http\","
            + "response_code=\"200\",grpc_response_status=\"\",response_flags=\"-\",connection_security_policy=\"unknown\"} 1",
        ]);
    }

    [Fact]
    public void A_server_reports_who_called_by_certificate_and_by_what_the_peer_has_told()
    {
        var listener = new MeasuredListener(Reporter.Destination, own: new ServiceNames("productpage.default.svc.cluster.local", "productpage", "default"));
        var connection = new ConnectionFacts { IsTls = true, LocalUriName = ProductpageId };

        listener.Request(r =>
        {
            r.Cluster = null;
            r.ClusterName = "inbound|9080||";
            r.Authority = "attacker.example";
            r.Connection = connection;
            r.Peer = new Peer("sleep", "other", "sleep", "latest", "sleep", "", "Kubernetes");
            r.Status = 0;
            r.Flags = "DC";
        });

        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        labels["reporter"].ShouldBe("destination");
        labels["source_app"].ShouldBe("sleep");
        labels["source_version"].ShouldBe("unknown");
        labels["source_workload_namespace"].ShouldBe("other");
        labels["source_principal"].ShouldBe("unknown");
        labels["destination_app"].ShouldBe("productpage");
        labels["destination_workload"].ShouldBe("productpage-v1");
        labels["destination_principal"].ShouldBe(ProductpageId);
        labels["destination_service"].ShouldBe("productpage.default.svc.cluster.local");
        labels["destination_service_name"].ShouldBe("productpage");
        labels["destination_service_namespace"].ShouldBe("default");
        labels["response_code"].ShouldBe("0");
        labels["response_flags"].ShouldBe("DC");
        labels["connection_security_policy"].ShouldBe("none");
    }

    [Fact]
    public void A_stranger_is_unknown_and_a_server_of_no_service_goes_by_its_canonical_name()
    {
        var listener = new MeasuredListener(Reporter.Destination);

        listener.Request(r => (r.Cluster, r.Authority) = (null, "whatever.example"));

        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        foreach (var label in (string[])["source_workload", "source_workload_namespace", "source_principal", "source_app", "source_version", "source_canonical_service", "source_cluster"])
        {
            labels[label].ShouldBe("unknown");
        }

        labels["source_canonical_revision"].ShouldBe("latest");
        labels["destination_service"].ShouldBe("productpage");
        labels["destination_service_name"].ShouldBe("productpage");
    }

    [Theory]
    [InlineData("PassthroughCluster", null, "PassthroughCluster")]
    [InlineData("BlackHoleCluster", null, "BlackHoleCluster")]
    [InlineData("anything", "block_all", "BlackHoleCluster")]
    [InlineData("anything", "allow_any", "PassthroughCluster")]
    [InlineData("anything", null, "api.example:443")]
    public void What_is_outside_goes_by_the_host_and_by_the_name_that_Istio_has_for_it(string cluster, string? route, string name)
    {
        var listener = new MeasuredListener();

        listener.Request(r =>
        {
            r.Authority = "api.example:443";
            r.Cluster = MeasuredListener.ClusterOf(cluster);
            r.ClusterName = cluster;
            r.Route = route is null ? null : Routes.Named(route);
        });

        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        labels["destination_service"].ShouldBe("api.example:443");
        labels["destination_service_name"].ShouldBe(name);
        labels["destination_service_namespace"].ShouldBe("unknown");
        labels["destination_workload"].ShouldBe("unknown");
    }

    [Theory]
    [InlineData(200, 0, "0")]
    [InlineData(200, 14, "14")]
    [InlineData(503, -1, "14")]
    [InlineData(404, -1, "12")]
    [InlineData(0, -1, "")]
    public void A_gRPC_call_reports_its_status_and_its_messages(int status, int grpcStatus, string expected)
    {
        var listener = new MeasuredListener();

        listener.Request(r =>
        {
            (r.IsGrpc, r.Status, r.GrpcStatus) = (true, status, grpcStatus);
            (r.RequestMessages, r.ResponseMessages) = (2, 3);
        });

        var labels = Exposition.Labels(listener.Registry, "istio_requests_total");
        labels["request_protocol"].ShouldBe("grpc");
        labels["grpc_response_status"].ShouldBe(expected);
        var messages = Exposition.Lines(listener.Registry, "istio_request_messages_total").ShouldHaveSingleItem();
        messages.ShouldEndWith("destination_cluster=\"unknown\"} 2");
        Exposition.Lines(listener.Registry, "istio_response_messages_total").ShouldHaveSingleItem().ShouldEndWith("} 3");
    }

    [Fact]
    public void Duration_and_sizes_fall_into_Istios_buckets()
    {
        var listener = new MeasuredListener();

        listener.Request(r =>
        {
            listener.Time.Advance(TimeSpan.FromMilliseconds(7.5));
            (r.RequestBytes, r.ResponseBytes) = (0, 123_456);
        });

        var buckets = Exposition.Lines(listener.Registry, "istio_request_duration_milliseconds_bucket");
        buckets.Select(line => line[(line.IndexOf("le=\"", StringComparison.Ordinal) + 4)..line.LastIndexOf('"')]).ShouldBe(
        [
            "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf",
        ]);
        buckets.Select(line => line[^1]).ShouldBe("00011111111111111111");
        Exposition.Lines(listener.Registry, "istio_request_duration_milliseconds_sum").ShouldHaveSingleItem().ShouldEndWith("} 7.5");
        Exposition.Lines(listener.Registry, "istio_response_bytes_sum").ShouldHaveSingleItem().ShouldEndWith("} 123456");
        Exposition.Lines(listener.Registry, "istio_request_bytes_count").ShouldHaveSingleItem().ShouldEndWith("} 1");
        Exposition.Lines(listener.Registry, "istio_request_bytes_bucket")[0].ShouldEndWith("le=\"0.5\"} 1");
    }

    [Fact]
    public void A_request_that_is_counted_allocates_nothing()
    {
        var listener = new MeasuredListener();
        var endpoint = MeasuredListener.ReviewsV3(new Principals(ProductpageId, ReviewsId));
        Action<RequestRecord> fill = r => r.Endpoint = endpoint;

        Allocations.Of(_ => listener.Request(fill)).ShouldBe(0);

        Exposition.Lines(listener.Registry, "istio_requests_total").ShouldHaveSingleItem();
    }

    [Fact]
    public void Endpoints_that_are_sent_anew_are_the_same_label_set()
    {
        var listener = new MeasuredListener();
        for (var i = 0; i < 10; i++)
        {
            var endpoint = MeasuredListener.ReviewsV3(new Principals(ProductpageId, ReviewsId));
            listener.Request(r => r.Endpoint = endpoint);
        }

        Exposition.Lines(listener.Registry, "istio_requests_total").ShouldHaveSingleItem().ShouldEndWith("} 10");
    }

    [Fact]
    public void Random_hosts_peers_and_statuses_neither_grow_labels_without_end_nor_lose_a_request()
    {
        const int Requests = 5_000;
        var listener = new MeasuredListener(maxSeries: 100);
        for (var i = 0; i < Requests; i++)
        {
            var endpoint = MeasuredListener.EndpointOf($"workload-{i};ns-{i};svc-{i};v1;c1");
            listener.Request(r =>
            {
                (r.Cluster, r.Authority, r.Endpoint) = (null, $"host-{i}.example", endpoint);
                r.Status = 100 + (i % 900);
            });
        }

        var lines = Exposition.Lines(listener.Registry, "istio_requests_total");
        lines.Length.ShouldBeLessThanOrEqualTo(401);
        lines.Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..])).ShouldBe(Requests);
        lines.Count(line => line.Contains("destination_service=\"overflow\"") && line.Contains("reporter=\"source\"")).ShouldBeGreaterThan(100);
        Exposition.Lines(listener.Registry, CardinalityLimit.Metric).ShouldNotBeEmpty();
    }

    [Fact]
    public void A_hostile_host_stays_within_its_label()
    {
        var listener = new MeasuredListener();

        listener.Request(r => (r.Cluster, r.Authority) = (null, "a\"} 1\nistio_requests_total{x=\"" + new string('b', 10_000)));

        var line = Exposition.Lines(listener.Registry, "istio_requests_total").ShouldHaveSingleItem();
        line.Length.ShouldBeLessThan(2_000);
        line.ShouldContain("destination_service=\"a\\\"} 1\\nistio_requests_total{x=\\\"bbb");
    }

    [Fact]
    public void Buckets_remember_the_last_trace_that_somebody_records()
    {
        var listener = new MeasuredListener();
        using var span = new Activity("GET") { ActivityTraceFlags = ActivityTraceFlags.Recorded };
        span.SetIdFormat(ActivityIdFormat.W3C).Start();

        listener.Request(r => r.Span = span);

        var output = new System.Buffers.ArrayBufferWriter<byte>();
        OpenMetricsText.Write(listener.Registry, output);
        System.Text.Encoding.UTF8.GetString(output.WrittenSpan).ShouldContain($"le=\"0.5\"}} 1 # {{trace_id=\"{span.TraceId}\",span_id=\"{span.SpanId}\"}} 0 ");
    }

    private static class Routes
    {
        public static RouteEntry Named(string name)
            => Mesh.DataPlane.Resources.RouteConfigurationType.Compile(
                new Envoy.Config.Route.V3.RouteConfiguration
                {
                    Name = "r",
                    VirtualHosts = { new Envoy.Config.Route.V3.VirtualHost { Name = name, Domains = { "*" }, Routes = { Resources.Prefix("/", "c", name) } } },
                },
                "",
                Mesh.DataPlane.Filters.FilterTypes.BuiltIn) is { } routes ? RouteTable(routes) : null!;

        private static RouteEntry RouteTable(Mesh.DataPlane.Resources.RouteConfigurationResource routes)
            => Mesh.DataPlane.Inbound.Http.InboundRoutes.Bind(routes).Any!.Routes[0];
    }
}
