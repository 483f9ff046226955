using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Tests.Matching.Re2;

public class Re2LiteralsTests
{
    [Theory]
    [InlineData(".*/ns/shop/.*", "", "/ns/shop/")]
    [InlineData("spiffe://.+/ns/shop/(.+/|)sa/x(/.+)?", "spiffe://", "/ns/shop/")]
    [InlineData("/books/[0-9]+", "/books/", "")]
    [InlineData("^/books$", "/books", "")]
    [InlineData("a|bb", "", "")]
    [InlineData("(?i)abc", "", "")]
    [InlineData("ab?c", "a", "")]
    [InlineData("(abc)+", "", "")]
    [InlineData("(abc)d", "", "")]
    [InlineData("\\.git\\d", ".git", "")]
    [InlineData("\u00e9tag\u00e9re", "", "tag")]
    [InlineData("", "", "")]
    [InlineData("x$yz", "x", "yz")]
    public void What_every_match_has(string pattern, string prefix, string required)
    {
        // A group that is not repeated is a concatenation within one: nothing is said of it.
        var found = Re2Literals.Find(Re2Simplifier.Simplify(Re2Parser.Parse(pattern, 100, out _)));

        found.ShouldBe((prefix, required));
    }
}
