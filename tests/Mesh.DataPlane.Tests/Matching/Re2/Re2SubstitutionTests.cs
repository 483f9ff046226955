using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Tests.Matching.Re2;

public sealed class Re2SubstitutionTests
{
    [Theory]
    [InlineData("^/service/([^/]+)(/.*)$", @"\2/instance/\1", "/service/foo/v1/api", "/v1/api/instance/foo")]
    [InlineData("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz")]
    [InlineData("^(.*?)one(.*)$", @"\1two\2", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/one/zzz")]
    [InlineData("(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb")]
    [InlineData("x", "y", "abc", "abc")]
    [InlineData("b*", "-", "abc", "-a-c-")]
    [InlineData("", "-", "ab", "-a-b-")]
    [InlineData("a", @"\\\0", "ba", @"b\a")]
    [InlineData("(a)(b)?", @"[\1\2]", "aab", "[a][ab]")]
    [InlineData("(?P<y>b)|(a)", @"<\1\2>", "ab", "<a><b>")]
    [InlineData("^a", "x", "aaa", "xaa")]
    [InlineData(@"\ba", "x", "aa a", "xa x")]
    [InlineData("é", "e", "café😀é", "cafe😀e")]
    [InlineData("(.)€", @"\1", "a😀€b", "a😀b")]
    [InlineData("", "-", "😀é", "-😀-é-")]
    [InlineData("a", "", "aba", "b")]
    [InlineData("a+?b??", "x", "aab", "xxb")]
    [InlineData(@"\{?[a-z]{1,1}", @"<\0>", "{77c77b", "{77<c>77<b>")]
    [InlineData("-??|", "x", "a-b", "xax-xbx")]
    [InlineData("(a|ab)(c|bcd)(d*)", @"[\1,\2,\3]", "abcd", "[a,bcd,]")]
    [InlineData("(a?)*", @"[\1]", "aab", "[a]b[]")]
    [InlineData("(a*)+", @"[\1]", "b", "[]b[]")]
    [InlineData("(0*/){2}", @"<\0|\1>", "//", "<//|/>")]
    [InlineData("(a)|b", @"[\1]", "ab", "[a][]")]
    [InlineData("(?:(a)|b)*", @"[\1]", "ab", "[a]")]
    [InlineData("(a{0,2}?)(a*)", @"[\1,\2]", "aaa", "[,aaa]")]
    public void Replaces_as_RE2_does(string pattern, string substitution, string text, string expected)
    {
        var parsed = Re2Pattern.Parse(pattern);
        parsed.Replace(text, parsed.ParseSubstitution(substitution)).ShouldBe(expected);
    }

    [Theory]
    [InlineData("a", @"\1", 0, "group 1")]
    [InlineData("(a)(b)", @"x\3", 1, "group 3")]
    [InlineData("a", @"x\", 1, "must be followed")]
    [InlineData("a", @"\n", 0, "must be followed")]
    public void Refuses_a_bad_substitution_and_says_where(string pattern, string substitution, int position, string reason)
    {
        var refusal = Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(pattern).ParseSubstitution(substitution));
        refusal.Position.ShouldBe(position);
        refusal.Reason.ShouldContain(reason);
    }

    [Fact]
    public void Replaces_in_linear_time_what_makes_backtracking_engines_hang()
    {
        var parsed = Re2Pattern.Parse("(a+)+$");
        parsed.Replace(new string('a', 20_000), parsed.ParseSubstitution(@"\1!")).ShouldBe(new string('a', 20_000) + "!");
    }

    [Fact]
    public void Refuses_a_program_of_empty_alternatives_that_explodes()
    {
        var parsed = Re2Pattern.Parse($"(?:{new string('|', 1_000)}a){{1000}}");
        Should.Throw<Re2SyntaxException>(() => parsed.ParseSubstitution("x")).Reason.ShouldContain("too large");
    }

    [Fact]
    public void Returns_the_same_string_when_nothing_matches()
    {
        var parsed = Re2Pattern.Parse("x");
        var text = new string("abc");
        parsed.Replace(text, parsed.ParseSubstitution("y")).ShouldBeSameAs(text);
    }
}
