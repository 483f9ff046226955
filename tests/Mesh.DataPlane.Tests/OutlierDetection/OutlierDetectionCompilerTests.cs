using Envoy.Config.Cluster.V3;
using Envoy.Config.Common.Matcher.V3;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Mesh.DataPlane.Tests.OutlierDetection;

public class OutlierDetectionCompilerTests
{
    [Fact]
    public void An_empty_message_means_the_defaults_of_Envoy()
        => Compile(_ => { }).Policy.OutlierDetection.ShouldBe(new OutlierDetectionPolicy());

    [Fact]
    public void Without_the_message_there_is_none()
        => ((ClusterResource)ClusterType.Instance.Decode(Resources.Cluster("c").ToByteString(), out _)).Policy.OutlierDetection.ShouldBeNull();

    [Fact]
    public void The_longest_ejection_is_at_least_the_base_time()
        => Compile(c => c.OutlierDetection.BaseEjectionTime = OutlierCluster.Seconds(400)).Policy.OutlierDetection!.MaxEjectionTime.ShouldBe(TimeSpan.FromSeconds(400));

    [Fact]
    public void A_longest_ejection_shorter_than_the_base_time_is_refused()
        => Refused(c => (c.OutlierDetection.BaseEjectionTime, c.OutlierDetection.MaxEjectionTime) = (OutlierCluster.Seconds(2), OutlierCluster.Seconds(1)))
            .ShouldBe("outlier_detection.max_ejection_time");

    [Fact]
    public void A_percentage_above_100_is_refused() => Refused(c => c.OutlierDetection.MaxEjectionPercent = 101).ShouldBe("outlier_detection.max_ejection_percent");

    [Fact]
    public void An_interval_of_zero_is_refused() => Refused(c => c.OutlierDetection.Interval = new Duration()).ShouldBe("outlier_detection.interval");

    [Fact]
    public void Monitors_are_told_of_and_left_out()
        => Compile(c => c.OutlierDetection.Monitors.Add(new TypedExtensionConfig { Name = "mine", TypedConfig = Any.Pack(new Empty()) }))
            .Notes.ShouldContain(n => n.Contains("outlier_detection.monitors (mine)"));

    [Fact]
    public void A_rule_on_the_request_is_refused()
        => Refused(c => c.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Any.Pack(new HttpProtocolOptions
        {
            ExplicitHttpConfig = new() { HttpProtocolOptions = new() },
            OutlierDetection = new() { ErrorMatcher = new MatchPredicate { NotMatch = new MatchPredicate { HttpRequestHeadersMatch = new() } } },
        })).ShouldEndWith("outlier_detection.error_matcher.not_match");

    private static ClusterResource Compile(Action<Cluster> change)
    {
        var cluster = Resources.Cluster("c");
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection();
        change(cluster);
        return (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);
    }

    private static string Refused(Action<Cluster> change) => Should.Throw<ResourceRejectedException>(() => Compile(change)).Field;
}
