using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Tests.Inbound.Http;

public sealed class HostNormalizationTests
{
    [Theory]
    [InlineData("reviews:9080", "reviews")]
    [InlineData("reviews:80", "reviews:80")]
    [InlineData("reviews", "reviews")]
    [InlineData("[::1]:9080", "[::1]")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("reviews:", "reviews:")]
    [InlineData("reviews:90x", "reviews:90x")]
    public void Takes_off_the_port_of_the_listener(string host, string expected)
        => HostNormalization.Apply(host, new InboundHttpSettings { StripsOwnPort = true }, 9080).ShouldBe(expected);

    [Theory]
    [InlineData("reviews:80", "reviews")]
    [InlineData("[::1]:80", "[::1]")]
    public void Takes_off_any_port(string host, string expected)
        => HostNormalization.Apply(host, new InboundHttpSettings { StripsAnyPort = true }, 9080).ShouldBe(expected);

    [Theory]
    [InlineData("reviews.", "reviews")]
    [InlineData("reviews.:80", "reviews:80")]
    [InlineData("reviews..", "reviews.")]
    public void Takes_off_the_dot_at_the_end(string host, string expected)
        => HostNormalization.Apply(host, new InboundHttpSettings { StripsTrailingDot = true }, 9080).ShouldBe(expected);

    [Fact]
    public void Leaves_a_host_as_it_is_unless_asked() => HostNormalization.Apply("Reviews.:9080", new InboundHttpSettings(), 9080).ShouldBe("Reviews.:9080");
}
