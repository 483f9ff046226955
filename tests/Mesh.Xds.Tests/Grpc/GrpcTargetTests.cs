using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Grpc;

public class GrpcTargetTests
{
    [Theory]
    [InlineData("http://control:15010", false, "control:15010", null)]
    [InlineData("http://control", false, "control:80", null)]
    [InlineData("http://[::1]:15010/", false, "[::1]:15010", null)]
    [InlineData("https://control:15012", true, "control:15012", null)]
    [InlineData("https://control", true, "control:443", null)]
    [InlineData("unix:///etc/istio/XDS", null, "localhost", "/etc/istio/XDS")]
    [InlineData("unix:./etc/istio/proxy/XDS", null, "localhost", "./etc/istio/proxy/XDS")]
    [InlineData("unix:/run/xds.sock", null, "localhost", "/run/xds.sock")]
    [InlineData("dns:///control:15010", null, "control:15010", null)]
    [InlineData("dns:control:15010", null, "control:15010", null)]
    [InlineData("dns:///control", null, "control:443", null)]
    [InlineData("ipv4:10.0.0.1:15010", null, "10.0.0.1:15010", null)]
    [InlineData("ipv6:[::1]:15010", null, "[::1]:15010", null)]
    [InlineData("control:15010", null, "control:15010", null)]
    [InlineData("127.0.0.1:15010", null, "127.0.0.1:15010", null)]
    [InlineData("::1", null, "[::1]:443", null)]
    public void Reads_every_spelling(string text, bool? tls, string authority, string? path)
        => GrpcTarget.Parse(text).ShouldBe(new GrpcTarget(text, tls, authority, path));

    [Theory]
    [InlineData("", "is not a host name")]
    [InlineData("control:http", "'http' is not a port")]
    [InlineData("control:70000", "'70000' is not a port")]
    [InlineData("ftp://control:1", "scheme is not one of")]
    [InlineData("unix://relative", "absolute path")]
    [InlineData("unix:", "path of the Unix socket is missing")]
    [InlineData("dns://8.8.8.8/control", "write dns:///host:port")]
    [InlineData("http://", "is not a host name")]
    [InlineData("bad host:1", "is not a host name")]
    public void Says_what_is_wrong_with_a_target(string text, string reason)
        => Should.Throw<FormatException>(() => GrpcTarget.Parse(text)).Message.ShouldContain(reason);

    [Fact]
    public void Plain_text_and_TLS_credentials_contradict_each_other()
        => Should.Throw<FormatException>(() => new GrpcChannel(GrpcTarget.Parse("http://h:1"), new GrpcChannelOptions { Tls = new GrpcTlsCredentials() }));
}
