using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

public class SubsetKeyTests
{
    [Theory]
    [InlineData("outbound|9080|v2|reviews.default.svc.cluster.local")]
    [InlineData("outbound|443||*.example.com")]
    public void A_name_survives_the_round_trip(string name)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        key.ToString().ShouldBe(name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("reviews")]
    [InlineData("inbound|9080||reviews")]
    [InlineData("outbound|0||reviews")]
    [InlineData("outbound|65536||reviews")]
    [InlineData("outbound|-1||reviews")]
    [InlineData("outbound|9080||")]
    [InlineData("outbound|9080|v2|reviews|more")]
    public void Anything_else_is_no_name(string name) => SubsetKey.TryParse(name, out _).ShouldBeFalse();
}
