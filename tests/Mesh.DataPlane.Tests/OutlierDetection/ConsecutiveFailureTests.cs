using System.Net;
using Envoy.Config.Common.Matcher.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.OutlierDetection;

namespace Mesh.DataPlane.Tests.OutlierDetection;

public class ConsecutiveFailureTests
{
    [Fact]
    public void Ejects_the_host_after_five_consecutive_5xx()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Respond(1, 500, 4);
        cluster.Picked.ShouldBe([1, 2, 3]);

        cluster.Respond(1, 500);
        cluster.Picked.ShouldBe([2, 3]);
        cluster.Host(1).LastEjection!.Reason.ShouldBe(EjectionReason.Consecutive5xx);
        cluster.Host(1).LastEjection!.Duration.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void One_success_begins_the_run_anew()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Respond(1, 500, 4);
        cluster.Respond(1, 404);
        cluster.Respond(1, 500, 4);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void Gateway_errors_are_detected_and_not_enforced_by_default()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.EnforcingConsecutive5Xx) = (100, 0));
        cluster.Respond(1, 503, 5);
        cluster.Ejected.ShouldBeEmpty();
        cluster.Detector.Statistics.Detected(EjectionReason.ConsecutiveGatewayFailure).ShouldBe(1);
        cluster.Detector.Statistics.EnforcedTotal.ShouldBe(0);
    }

    // What Istio sends for consecutiveGatewayErrors: 3.
    [Fact]
    public void Gateway_errors_alone_eject_when_they_are_what_counts()
    {
        using var cluster = new OutlierCluster(3, d =>
        {
            (d.MaxEjectionPercent, d.EnforcingSuccessRate) = (100, 0);
            (d.ConsecutiveGatewayFailure, d.EnforcingConsecutiveGatewayFailure) = (3, 100);
            (d.Consecutive5Xx, d.EnforcingConsecutive5Xx) = (0, 0);
        });
        cluster.Respond(1, 502, 2);
        cluster.Respond(1, 500, 10); // 5xx, but of the service itself
        cluster.Respond(1, 504, 2);
        cluster.Ejected.ShouldBeEmpty();

        cluster.Respond(1, 503);
        cluster.Ejected.ShouldBe([1]);
    }

    [Fact]
    public void Without_the_split_failures_on_the_way_count_as_gateway_errors()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Fail(1, LocalOriginFailure.ConnectFailed, 2);
        cluster.Fail(1, LocalOriginFailure.ConnectTimeout);
        cluster.Fail(1, LocalOriginFailure.Reset);
        cluster.Respond(1, 500);
        cluster.Ejected.ShouldBe([1]);

        cluster.Fail(2, LocalOriginFailure.Timeout, 5);
        cluster.Detector.Statistics.Detected(EjectionReason.ConsecutiveGatewayFailure).ShouldBe(1);
        cluster.Ejected.ShouldBe([1, 2]);
    }

    [Fact]
    public void With_the_split_failures_on_the_way_count_by_themselves()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.SplitExternalLocalOriginErrors) = (100, true));
        cluster.Respond(1, 500, 4);
        cluster.Fail(1, LocalOriginFailure.ConnectFailed, 4);
        cluster.Ejected.ShouldBeEmpty();

        cluster.Fail(1, LocalOriginFailure.ConnectFailed);
        cluster.Ejected.ShouldBe([1]);
        cluster.Host(1).LastEjection!.Reason.ShouldBe(EjectionReason.ConsecutiveLocalOriginFailure);
    }

    [Fact]
    public void With_the_split_any_answer_shows_that_the_way_is_good()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.SplitExternalLocalOriginErrors) = (100, true));
        cluster.Fail(1, LocalOriginFailure.ConnectFailed, 4);
        cluster.Respond(1, 500);
        cluster.Fail(1, LocalOriginFailure.ConnectFailed, 4);
        cluster.Ejected.ShouldBeEmpty();
    }

    // Envoy reports the connection as good before the stream on it fails.
    [Fact]
    public void With_the_split_a_timeout_on_a_good_connection_never_makes_a_run()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.SplitExternalLocalOriginErrors) = (100, true));
        cluster.Fail(1, LocalOriginFailure.Timeout, 20);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void A_threshold_of_zero_detects_nothing()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.Consecutive5Xx) = (100, 0));
        cluster.Respond(1, 500, 100);
        cluster.Ejected.ShouldBeEmpty();
        cluster.Detector.Statistics.Detected(EjectionReason.Consecutive5xx).ShouldBe(0);
    }

    [Fact]
    public void The_enforcing_share_ejects_so_many_of_the_detected()
    {
        using var cluster = new OutlierCluster(1000, d => (d.MaxEjectionPercent, d.EnforcingConsecutive5Xx) = (100, 30));
        for (var port = 1; port <= 1000; port++)
        {
            cluster.Respond(port, 500, 5);
        }

        cluster.Ejected.Length.ShouldBe(300);
    }

    [Fact]
    public void What_is_not_enforced_is_judged_again_by_the_next_run()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.EnforcingConsecutive5Xx) = (100, 0));
        cluster.Respond(1, 500, 15);
        cluster.Detector.Statistics.Detected(EjectionReason.Consecutive5xx).ShouldBe(3);
    }

    [Theory]
    [InlineData("0", false)]
    [InlineData("5", false)] // NOT_FOUND is 404
    [InlineData("8", false)] // RESOURCE_EXHAUSTED is 429
    [InlineData("13", true)] // INTERNAL is 500
    [InlineData("14", true)] // UNAVAILABLE is 503
    [InlineData("12", true)] // UNIMPLEMENTED is 501
    [InlineData("nonsense", true)]
    public void The_status_of_gRPC_outranks_that_of_HTTP(string status, bool ejected)
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        using var response = new HttpResponseMessage(HttpStatusCode.OK) { Headers = { { "grpc-status", status } } };
        for (var i = 0; i < 5; i++)
        {
            cluster.Monitor(1).OnResponse(response, isGrpc: true);
            cluster.Monitor(2).OnResponse(response, isGrpc: false);
        }

        cluster.Ejected.ShouldBe(ejected ? [1] : []);
    }

    // Istio's outlierDetectionHttpErrorCodes.
    [Fact]
    public void Custom_error_codes_replace_5xx()
    {
        using var cluster = new OutlierCluster(4, d => d.MaxEjectionPercent = 100, c => ErrorCodes(c, "429", "503"));
        Respond(cluster, 1, 429);
        Respond(cluster, 2, 500);
        Respond(cluster, 3, 503);
        cluster.Ejected.ShouldBe([1, 3]);
        cluster.Detector.Statistics.Detected(EjectionReason.ConsecutiveGatewayFailure).ShouldBe(1, "503 stays a gateway error, 429 counts as 500");
    }

    private static void Respond(OutlierCluster cluster, int port, int status)
    {
        for (var i = 0; i < 5; i++)
        {
            using var response = new HttpResponseMessage((HttpStatusCode)status);
            cluster.Monitor(port).OnResponse(response, isGrpc: false);
        }
    }

    private static void ErrorCodes(Envoy.Config.Cluster.V3.Cluster cluster, params string[] codes)
        => cluster.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Any.Pack(new HttpProtocolOptions
        {
            ExplicitHttpConfig = new() { HttpProtocolOptions = new() },
            OutlierDetection = new HttpProtocolOptions.Types.OutlierDetection
            {
                ErrorMatcher = new MatchPredicate
                {
                    OrMatch = new()
                    {
                        Rules =
                        {
                            codes.Select(c => new MatchPredicate
                            {
                                HttpResponseHeadersMatch = new() { Headers = { new HeaderMatcher { Name = ":status", StringMatch = new() { Exact = c } } } },
                            }),
                        },
                    },
                },
            },
        });
}
