using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Matching;

public class UriTemplateTests
{
    [Theory]
    [InlineData("/foo", "/foo", true)]
    [InlineData("/foo", "/foo/", false)]
    [InlineData("/foo/*", "/foo/bar", true)]
    [InlineData("/foo/*", "/foo/", false)]
    [InlineData("/foo/*", "/foo/bar/baz", false)]
    [InlineData("/foo/*/baz", "/foo/bar/baz", true)]
    [InlineData("/foo/*/baz", "/foo//baz", false)]
    [InlineData("/foo/**", "/foo/", true)]
    [InlineData("/foo/**", "/foo/bar/baz", true)]
    [InlineData("/foo/**", "/foo", false)]
    [InlineData("/foo/**/baz", "/foo/a/b/baz", true)]
    [InlineData("/foo/**/baz", "/foo/baz", false)]
    [InlineData("/**.m3u8", "/a/b.m3u8", true)]
    [InlineData("/**.m3u8", "/a/bxm3u8", false)]
    [InlineData("/a/*.js", "/a/x.js", true)]
    [InlineData("/a/*/b/**", "/a/x/b/c/d", true)]
    [InlineData("/{tenant}/items/{item=*}", "/shop/items/1", true)]
    [InlineData("/{tenant}/items/{item=*}", "/shop/items/1/2", false)]
    [InlineData("/{rest=v1/**}", "/v1/a/b", true)]
    [InlineData("/{rest=v1/**}", "/v2/a/b", false)]
    [InlineData("/{only=v1}", "/v1", true)]
    [InlineData("/a+b(c)$_", "/a+b(c)$_", true)]
    [InlineData("/foo/*/", "/foo/x/", true)]
    [InlineData("/", "/", true)]
    [InlineData("/foo/*", "/foo/a%2fb", true)]
    public void Wildcards_stand_for_segments(string template, string path, bool expected)
    {
        var compiled = UriTemplate.Parse(template, "t");

        compiled.Strict.IsFullMatch(path).ShouldBe(expected);
        compiled.Wide.IsFullMatch(path).ShouldBe(expected);
        if (expected)
        {
            path.ShouldStartWith(compiled.Prefix, Case.Sensitive);
        }
    }

    [Theory]
    [InlineData("/foo/*/x", "/foo/")]
    [InlineData("/foo/{a}", "/foo/")]
    [InlineData("/foo/{a=bar/*}", "/foo/bar/")]
    [InlineData("/foo/bar", "/foo/bar")]
    public void What_stands_before_the_first_wildcard_finds_it(string template, string prefix) => UriTemplate.Parse(template, "t").Prefix.ShouldBe(prefix);

    [Theory]
    [InlineData("")]
    [InlineData("foo")]
    [InlineData("//")]
    [InlineData("/a//b")]
    [InlineData("/a b")]
    [InlineData("/a|b")]
    [InlineData("/**/*")]
    [InlineData("/**/**")]
    [InlineData("/**/{a}")]
    [InlineData("/{a=**}/{b}")]
    [InlineData("/{a")]
    [InlineData("/{}")]
    [InlineData("/{1a}")]
    [InlineData("/{a=}")]
    [InlineData("/{a=b/}")]
    [InlineData("/{a}/{a}")]
    [InlineData("/{a}/{b}/{c}/{d}/{e}/{f}")]
    [InlineData("/{abcdefghijklmnopq}")]
    [InlineData("/***")]
    [InlineData("/a*")]
    [InlineData("/*a/b")]
    public void What_is_no_template_is_refused(string template)
        => Should.Throw<ResourceRejectedException>(() => UriTemplate.Parse(template, "t")).Field.ShouldBe("t");
}
