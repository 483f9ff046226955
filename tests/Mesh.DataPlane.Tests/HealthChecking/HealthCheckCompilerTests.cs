using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.HealthChecking;

public class HealthCheckCompilerTests
{
    [Fact]
    public void A_check_without_a_time_limit_is_refused() => Refused(c => c.Timeout = null).ShouldBe("health_checks[0].timeout");

    [Fact]
    public void A_check_without_thresholds_is_refused() => Refused(c => c.HealthyThreshold = null).ShouldBe("health_checks[0].healthy_threshold");

    [Fact]
    public void A_check_of_no_kind_is_refused() => Refused(c => c.ClearHealthChecker()).ShouldStartWith("health_checks[0]");

    [Fact]
    public void A_custom_check_is_refused_rather_than_left_out()
        => Refused(c => c.CustomHealthCheck = new() { Name = "redis", TypedConfig = Any.Pack(new Empty()) }).ShouldBe("health_checks[0].custom_health_check");

    [Fact]
    public void Statuses_that_do_not_exist_are_refused()
        => Refused(c => c.HttpHealthCheck.ExpectedStatuses.Add(new Int64Range { Start = 200, End = 601 })).ShouldBe("health_checks[0].http_health_check.expected_statuses[0]");

    [Fact]
    public void A_body_that_the_method_cannot_have_is_refused()
        => Refused(c => c.HttpHealthCheck.Send = new() { Text = "00" }).ShouldBe("health_checks[0].http_health_check.send");

    [Fact]
    public void A_payload_that_is_not_hexadecimal_is_refused()
        => Refused(c => c.TcpHealthCheck = new() { Send = new() { Text = "xyz" } }).ShouldBe("health_checks[0].tcp_health_check.send.text");

    [Fact]
    public void A_header_that_would_smuggle_is_refused()
        => Refused(c => c.HttpHealthCheck.RequestHeadersToAdd.Add(new HeaderValueOption { Header = new() { Key = "a", RawValue = ByteString.CopyFromUtf8("b\r\nc: d") } }))
            .ShouldStartWith("health_checks[0].http_health_check.request_headers_to_add[0]");

    [Fact]
    public void HTTP_3_is_refused() => Refused(c => c.HttpHealthCheck.CodecClientType = CodecClientType.Http3).ShouldBe("health_checks[0].http_health_check.codec_client_type");

    [Fact]
    public void A_header_with_a_command_is_told_of_and_left_out()
        => Compile(c => c.HttpHealthCheck.RequestHeadersToAdd.Add(new HeaderValueOption { Header = new() { Key = "a", Value = "%PROTOCOL%" } }))
            .Notes.ShouldHaveSingleItem().ShouldContain("request_headers_to_add[0]");

    private static ClusterResource Compile(Action<HealthCheck> change)
    {
        var check = new HealthCheck
        {
            Timeout = CheckedCluster.Seconds(1),
            Interval = CheckedCluster.Seconds(1),
            UnhealthyThreshold = 1,
            HealthyThreshold = 1,
            HttpHealthCheck = new() { Path = "/" },
        };
        change(check);
        var cluster = Resources.Cluster("c");
        cluster.HealthChecks.Add(check);
        return (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);
    }

    private static string Refused(Action<HealthCheck> change) => Should.Throw<ResourceRejectedException>(() => Compile(change)).Field;
}
