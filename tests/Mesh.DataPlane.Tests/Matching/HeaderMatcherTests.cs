using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using HeaderMatcher = Envoy.Config.Route.V3.HeaderMatcher;
using StringMatcher = Envoy.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Tests.Matching;

public class HeaderMatcherTests
{
#pragma warning disable CS0612 // The deprecated forms are part of what is published.
    public static TheoryData<string, string?, bool> Rows { get; } = new()
    {
        { "string exact", "jason", true },
        { "string exact", "Jason", false },
        { "string exact", null, false },
        { "string exact ignore case", "JASON", true },
        { "string prefix", "jason-2", true },
        { "string prefix", "xjason", false },
        { "string suffix", "mr jason", true },
        { "string suffix ignore case", "mr JASON", true },
        { "string contains", "a jason b", true },
        { "string contains ignore case", "a JaSoN b", true },
        { "string regex", "jas12", true },
        { "string regex", "jas12x", false },
        { "exact_match", "jason", true },
        { "prefix_match", "jasonx", true },
        { "suffix_match", "xjason", true },
        { "contains_match", "xjasonx", true },
        { "safe_regex_match", "jas1", true },
        { "safe_regex_match", "1jas1", false },
        { "range", "-1", false },
        { "range", "0", true },
        { "range", "9", true },
        { "range", "10", false },
        { "range", "ten", false },
        { "present", "", true },
        { "present", null, false },
        { "absent", null, true },
        { "absent", "x", false },
        { "unset", "x", true },
        { "unset", null, false },
        { "not exact", "bob", true },
        { "not exact", "jason", false },

        // A missing header matches no value matcher, inverted or not …
        { "not exact", null, false },
        { "not present", null, true },
        { "not present", "x", false },

        // … unless it is to be treated as empty.
        { "not exact, missing is empty", null, true },
        { "empty regex, missing is empty", null, true },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_published_form_matches_as_Envoy_documents_it(string form, string? value, bool expected)
    {
        var matcher = MatcherCompiler.Header(Form(form), "headers[0]");
        var headers = new Dictionary<string, string>();
        if (value is not null)
        {
            headers["end-user"] = value;
        }

        matcher.IsMatch(FakeHeaders.View("/", headers)).ShouldBe(expected, matcher.ToString());
    }

    [Theory]
    [InlineData(":path", "/reviews/0?x=1")]
    [InlineData(":method", "POST")]
    [InlineData(":authority", "reviews:9080")]
    [InlineData(":scheme", "http")]
    public void Pseudo_headers_are_the_request_line(string name, string value)
        => MatcherCompiler.Header(new HeaderMatcher { Name = name, StringMatch = new StringMatcher { Exact = value } }, "")
            .IsMatch(FakeHeaders.View("/reviews/0?x=1", method: "POST"))
            .ShouldBeTrue();

    [Fact]
    public void A_matcher_that_is_not_honoured_is_refused_with_its_path()
        => Should.Throw<ResourceRejectedException>(() => MatcherCompiler.Header(
                new HeaderMatcher { Name = "a", StringMatch = new StringMatcher { Custom = new() } },
                "routes[0].match.headers[0]"))
            .Field.ShouldBe("routes[0].match.headers[0].string_match.custom");

    [Fact]
    public void A_bad_regular_expression_is_refused_with_its_path()
        => Should.Throw<ResourceRejectedException>(() => MatcherCompiler.Header(
                new HeaderMatcher { Name = "a", SafeRegexMatch = new RegexMatcher { Regex = "(" } },
                "headers[0]"))
            .Field.ShouldBe("headers[0].safe_regex_match.regex");

    private static HeaderMatcher Form(string form)
    {
        var m = new HeaderMatcher { Name = "End-User" };
        switch (form)
        {
            case "string exact": m.StringMatch = new StringMatcher { Exact = "jason" }; break;
            case "string exact ignore case": m.StringMatch = new StringMatcher { Exact = "jason", IgnoreCase = true }; break;
            case "string prefix": m.StringMatch = new StringMatcher { Prefix = "jason" }; break;
            case "string suffix": m.StringMatch = new StringMatcher { Suffix = "jason" }; break;
            case "string suffix ignore case": m.StringMatch = new StringMatcher { Suffix = "jason", IgnoreCase = true }; break;
            case "string contains": m.StringMatch = new StringMatcher { Contains = "jason" }; break;
            case "string contains ignore case": m.StringMatch = new StringMatcher { Contains = "jason", IgnoreCase = true }; break;
            case "string regex": m.StringMatch = new StringMatcher { SafeRegex = new RegexMatcher { Regex = "jas[0-9]+" } }; break;
            case "exact_match": m.ExactMatch = "jason"; break;
            case "prefix_match": m.PrefixMatch = "jason"; break;
            case "suffix_match": m.SuffixMatch = "jason"; break;
            case "contains_match": m.ContainsMatch = "jason"; break;
            case "safe_regex_match": m.SafeRegexMatch = new RegexMatcher { Regex = "jas[0-9]" }; break;
            case "range": m.RangeMatch = new Int64Range { Start = 0, End = 10 }; break;
            case "present": m.PresentMatch = true; break;
            case "absent": m.PresentMatch = false; break;
            case "unset": break;
            case "not exact": m.StringMatch = new StringMatcher { Exact = "jason" }; m.InvertMatch = true; break;
            case "not present": m.PresentMatch = true; m.InvertMatch = true; break;
            case "not exact, missing is empty":
                m.StringMatch = new StringMatcher { Exact = "jason" };
                m.InvertMatch = true;
                m.TreatMissingHeaderAsEmpty = true;
                break;
            case "empty regex, missing is empty":
                m.StringMatch = new StringMatcher { SafeRegex = new RegexMatcher { Regex = "" } };
                m.TreatMissingHeaderAsEmpty = true;
                break;
            default: throw new ArgumentException(form);
        }

        return m;
    }
#pragma warning restore CS0612
}
