using System.Globalization;
using System.Text;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Tests.Matching.Re2;

public sealed class Re2PatternTests
{
    [Fact]
    public void Matches_what_RE2_matches()
    {
        Re2Vectors.All.Count.ShouldBeGreaterThan(200);
        var differences = new StringBuilder();
        foreach (var (pattern, text, full, partial) in Re2Vectors.All)
        {
            var parsed = Re2Pattern.Parse(pattern);
            if (parsed.IsFullMatch(text) != full || parsed.IsPartialMatch(text) != partial)
            {
                differences.AppendLine(CultureInfo.InvariantCulture, $"{pattern} on {text}: expected {full}, {partial}");
            }
        }

        differences.ToString().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(@"\", 0, "trailing")]
    [InlineData(@"ab\", 2, "trailing")]
    [InlineData(@"a\1", 1, "backreferences")]
    [InlineData(@"(a)\2", 3, "backreferences")]
    [InlineData(@"\8", 0, "escape")]
    [InlineData(@"\q", 0, "escape")]
    [InlineData(@"\Z", 0, "escape")]
    [InlineData(@"\G", 0, "escape")]
    [InlineData(@"\E", 0, "escape")]
    [InlineData(@"\é", 0, "escape")]
    [InlineData(@"\xg1", 0, "hexadecimal")]
    [InlineData(@"\x4", 0, "hexadecimal")]
    [InlineData(@"\x{}", 0, "hexadecimal")]
    [InlineData(@"\x{41", 0, "closing brace")]
    [InlineData(@"\x{110000}", 0, "10FFFF")]
    [InlineData(@"\x{100000000000000041}", 0, "10FFFF")]
    [InlineData(@"a\Cb", 1, "any byte")]
    [InlineData(@"\p", 0, "without a name")]
    [InlineData(@"\pQ", 0, "character class range")]
    [InlineData(@"\p{", 0, "without }")]
    [InlineData(@"\p{}", 0, "character class range")]
    [InlineData(@"\p{Greek}", 0, "scripts are not")]
    [InlineData(@"\p{lu}", 0, "character class range")]
    [InlineData(@"a[\p{Greek}]", 2, "scripts are not")]
    [InlineData("(", 0, "missing closing )")]
    [InlineData("a(b(c)", 1, "missing closing )")]
    [InlineData(")", 0, "unexpected )")]
    [InlineData("a)b", 1, "unexpected )")]
    [InlineData("(a))", 3, "unexpected )")]
    [InlineData("[", 0, "missing closing ]")]
    [InlineData("[]", 0, "missing closing ]")]
    [InlineData("[^]", 0, "missing closing ]")]
    [InlineData("x[a", 1, "missing closing ]")]
    [InlineData("[a-", 0, "missing closing ]")]
    [InlineData("[[:alpha:]", 0, "missing closing ]")]
    [InlineData("[b-a]", 1, "character class range: b-a")]
    [InlineData("[a--]", 1, "character class range: a--")]
    [InlineData(@"[a-\d]", 3, "escape")]
    [InlineData(@"[\b]", 1, "escape")]
    [InlineData(@"[\Q]", 1, "escape")]
    [InlineData("[[:foo:]]", 1, "[:foo:]")]
    [InlineData("[[:Alpha:]]", 1, "[:Alpha:]")]
    [InlineData("[[:word]x:]", 1, "character class range")]
    [InlineData("*", 0, "no argument")]
    [InlineData("+a", 0, "no argument")]
    [InlineData("a|?", 2, "no argument")]
    [InlineData("(*)", 1, "no argument")]
    [InlineData("(?i)*", 4, "no argument")]
    [InlineData("{2}", 0, "no argument")]
    [InlineData("a**", 1, "bad repetition operator: **")]
    [InlineData("a++", 1, "bad repetition operator: ++")]
    [InlineData("a?+", 1, "bad repetition operator: ?+")]
    [InlineData("a*???", 1, "bad repetition operator")]
    [InlineData("a{2}{3}", 1, "bad repetition operator: {2}{3}")]
    [InlineData("a{2}*", 1, "bad repetition operator: {2}*")]
    [InlineData("a{1001}", 1, "repetition size: {1001}")]
    [InlineData("a{1001,}", 1, "repetition size")]
    [InlineData("a{1,1001}", 1, "repetition size")]
    [InlineData("a{2,1}", 1, "repetition size")]
    [InlineData("(a{100}){11}", 8, "copies")]
    [InlineData("((a{10}){10}){11}", 13, "copies")]
    [InlineData("(?=a)", 0, "look-around")]
    [InlineData("a(?!b)", 1, "look-around")]
    [InlineData("(?<=a)b", 0, "look-around")]
    [InlineData("(?<!a)b", 0, "look-around")]
    [InlineData("(?>a)", 0, "perl operator: (?>")]
    [InlineData("(?x)a", 0, "perl operator: (?x")]
    [InlineData("(?", 0, "perl operator: (?")]
    [InlineData("(?i", 0, "perl operator: (?i")]
    [InlineData("(?i-)a", 0, "perl operator")]
    [InlineData("(?--i)a", 0, "perl operator")]
    [InlineData("(?#x)", 0, "perl operator")]
    [InlineData("(?P=n)", 0, "perl operator")]
    [InlineData("(?'n'a)", 0, "perl operator")]
    [InlineData("(?P<>a)", 0, "named capture")]
    [InlineData("(?P<n", 0, "named capture")]
    [InlineData("(?P<a b>a)", 0, "named capture")]
    [InlineData("x(?<n-m>a)", 1, "named capture")]
    public void Refuses_what_RE2_refuses_and_says_where(string pattern, int position, string reason)
    {
        var refusal = Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(pattern));
        refusal.Position.ShouldBe(position);
        refusal.Reason.ShouldContain(reason);
        refusal.Message.ShouldContain(pattern);
    }

    [Fact]
    public void Refuses_half_of_a_surrogate_pair() =>
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse("ab\uD83D")).Position.ShouldBe(2);

    [Fact]
    public void Matches_half_of_a_surrogate_pair_with_nothing()
    {
        Re2Pattern.Parse(@"(?s).|\W|\p{Any}|[^a]").IsPartialMatch("\uDE00").ShouldBeFalse();
        Re2Pattern.Parse("a.b").IsFullMatch("a\uD83Db").ShouldBeFalse();
    }

    [Fact]
    public void Refuses_more_than_a_thousand_nested_groups()
    {
        Re2Pattern.Parse(Nested(1_000)).IsFullMatch("a").ShouldBeTrue();
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(Nested(1_001))).Position.ShouldBe(1_000);

        static string Nested(int depth) => new string('(', depth) + "a" + new string(')', depth);
    }

    [Fact]
    public void Refuses_loops_stacked_without_groups()
    {
        var stacked = "a" + string.Concat(Enumerable.Repeat("*(?i)*?(?-i)", 2_500));
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(stacked)).Reason.ShouldContain("nested deeper");
    }

    [Fact]
    public void Refuses_a_pattern_longer_than_the_limit() =>
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse("aaaa", new Re2Options { MaxPatternLength = 3 })).Reason.ShouldContain("longer than 3");

    [Theory]
    [InlineData("a", 5)]
    [InlineData("abc", 7)]
    [InlineData("(a)", 7)]
    [InlineData("a+", 6)]
    [InlineData("a?", 6)]
    [InlineData("a*", 5)]
    [InlineData("a{2,5}", 12)]
    [InlineData("a{2,}", 7)]
    [InlineData("ab|cd", 8)]
    [InlineData("é", 6)]
    [InlineData("[a-z0-9]", 6)]
    public void Estimates_the_program_size_of_RE2(string pattern, int size)
    {
        Re2Pattern.Parse(pattern).ProgramSize.ShouldBe(size);
        Re2Pattern.Parse(pattern, new Re2Options { MaxProgramSize = size }).ProgramSize.ShouldBe(size);
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(pattern, new Re2Options { MaxProgramSize = size - 1 })).Reason.ShouldContain("program size");
    }

    [Theory]
    [InlineData(@"\pL{1000}")]
    [InlineData("(?:[a-z]{30}é{30}\\pL{30}){30}")]
    public void Refuses_a_program_that_explodes(string pattern) =>
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(pattern)).Reason.ShouldContain("simplify");

    [Fact]
    public void Refuses_with_a_reason_what_the_engine_of_the_runtime_finds_too_large()
    {
        const string Long = "(?:abcdefghijkl){1000}";
        Should.Throw<Re2SyntaxException>(() => Re2Pattern.Parse(Long)).Reason.ShouldContain(".NET");
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|aa)+$")]
    [InlineData("(a|a?)+$")]
    [InlineData("(.*a){12}$")]
    [InlineData("([a-zA-Z]+)*$")]
    [InlineData("(?:é|a|😀)*$")]
    public void Runs_patterns_that_make_backtracking_engines_hang(string pattern)
    {
        var parsed = Re2Pattern.Parse(pattern);
        var text = new string('a', 100_000);
        parsed.IsFullMatch(text).ShouldBeTrue();
        parsed.IsFullMatch(text + "!").ShouldBeFalse();
        parsed.IsFullMatch(text + "€").ShouldBeFalse();
    }

    [Theory]
    [InlineData("/api/v[0-9]+/.*", "/api/v1/users")]
    [InlineData(@"\bcaf.\b|[^/]+", "crème😀brûlée")]
    public void Matching_does_not_allocate(string pattern, string text)
    {
        var parsed = Re2Pattern.Parse(pattern);
        parsed.IsFullMatch(text).ShouldBeTrue();
        Allocations.Of(_ => parsed.IsFullMatch(text)).ShouldBe(0);
    }

    [Fact]
    public void Is_safe_to_share_between_threads()
    {
        var parsed = Re2Pattern.Parse("(?:[a-d]+-)+x|é.*");
        Parallel.For(0, 2_000, i =>
        {
            var text = string.Concat(Enumerable.Repeat($"{(char)('a' + (i % 4))}-", 1 + (i % 37)));
            parsed.IsFullMatch(text + "x").ShouldBeTrue();
            parsed.IsFullMatch(text).ShouldBeFalse();
            parsed.IsPartialMatch(text + "é😀").ShouldBeTrue();
        });
    }
}
