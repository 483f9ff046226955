using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Tests.Routing;

public class VirtualHostTableTests
{
    [Theory]
    [InlineData("www.foo.com", "exact")]
    [InlineData("WWW.FOO.COM", "exact")]
    [InlineData("api.www.foo.com", "long suffix")]
    [InlineData("x.foo.com", "suffix")]
    [InlineData(".foo.com", "any")]
    [InlineData("foo.bar", "long prefix")]
    [InlineData("foo.x", "prefix")]
    [InlineData("other", "any")]
    public void Exact_beats_suffix_beats_prefix_beats_any_and_the_longest_wins(string authority, string expected)
    {
        var table = new VirtualHostTable(
            [
                (new VirtualHost("any", []), ["*"]),
                (new VirtualHost("prefix", []), ["foo.*"]),
                (new VirtualHost("long prefix", []), ["foo.b*"]),
                (new VirtualHost("suffix", []), ["*.foo.com"]),
                (new VirtualHost("long suffix", []), ["*.www.foo.com"]),
                (new VirtualHost("exact", []), ["www.foo.com"]),
            ],
            ignorePort: false);

        table.Find(authority)!.Name.ShouldBe(expected);
    }

    [Theory]
    [InlineData(true, "reviews:9080", true)]
    [InlineData(false, "reviews:9080", false)]
    [InlineData(false, "reviews", true)]
    public void The_port_counts_unless_it_is_to_be_ignored(bool ignorePort, string authority, bool found)
        => (new VirtualHostTable([(new VirtualHost("r", []), ["reviews"])], ignorePort).Find(authority) is not null).ShouldBe(found);
}
