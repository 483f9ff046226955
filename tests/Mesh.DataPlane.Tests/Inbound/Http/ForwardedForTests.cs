using System.Net;
using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Tests.Inbound.Http;

public sealed class ForwardedForTests
{
    [Theory]
    [InlineData(null, 0, null, false)]
    [InlineData("1.2.3.4", 0, "1.2.3.4", true)]
    [InlineData("1.2.3.4, 10.0.0.1", 0, "10.0.0.1", false)]
    [InlineData("1.2.3.4,10.0.0.1", 1, "1.2.3.4", false)]
    [InlineData("1.2.3.4", 1, null, false)]
    [InlineData("1.2.3.4, nobody", 0, null, false)]
    [InlineData("2001:db8::1", 0, "2001:db8::1", true)]
    [InlineData("127.1", 0, null, false)]
    [InlineData("2130706433", 0, null, false)]
    [InlineData("[::1]", 0, null, false)]
    [InlineData("fe80::1%eth0", 0, null, false)]
    [InlineData("", 0, null, false)]
    public void Finds_the_address_at_a_place_from_the_end(string? header, int skip, string? expected, bool isOnly)
        => ForwardedFor.Last(header, skip).ShouldBe((expected is null ? null : IPAddress.Parse(expected), isOnly));
}
