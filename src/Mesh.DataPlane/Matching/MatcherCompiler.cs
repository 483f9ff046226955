using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Mesh.DataPlane.Matching.Re2;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Matching;

/// <summary>Turns the matcher messages of xDS into matchers. What it does not honour it refuses: a matcher that means less than was written fails open.</summary>
internal static class MatcherCompiler
{
    private const int MaxDepth = 32;

    public static StringMatcher String(Envoy.Type.Matcher.V3.StringMatcher message, string path)
        => message.MatchPatternCase switch
        {
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Exact
                => message.IgnoreCase ? new StringMatcher.ExactIgnoreCase(message.Exact) : new StringMatcher.Exact(message.Exact),
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Prefix => new StringMatcher.Prefix(message.Prefix, message.IgnoreCase),
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Suffix => new StringMatcher.Suffix(message.Suffix, message.IgnoreCase),
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Contains => new StringMatcher.Contains(message.Contains, message.IgnoreCase),
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.SafeRegex => new StringMatcher.Regex(Regex(message.SafeRegex, path + ".safe_regex")),
            Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Custom
                => throw new ResourceRejectedException(path + ".custom", "custom string matchers are not supported"),
            _ => throw new ResourceRejectedException(path, "match_pattern must be set"),
        };

    public static Re2Pattern Regex(RegexMatcher message, string path)
    {
        try
        {
            return Re2Pattern.Parse(message.Regex);
        }
        catch (Re2SyntaxException e)
        {
            throw new ResourceRejectedException(path + ".regex", e.Message);
        }
    }

    public static HeaderMatcher Header(Envoy.Config.Route.V3.HeaderMatcher message, string path)
    {
        if (message.Name.Length == 0)
        {
            throw new ResourceRejectedException(path + ".name", "must not be empty");
        }

        var name = new HeaderName(message.Name);
        var invert = message.InvertMatch;
        var missingAsEmpty = message.TreatMissingHeaderAsEmpty;

        // The deprecated forms are what older control planes and gRPC still send.
#pragma warning disable CS0612
        return message.HeaderMatchSpecifierCase switch
        {
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch
                => Value(String(message.StringMatch, path + ".string_match")),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.ExactMatch
                => Value(new StringMatcher.Exact(message.ExactMatch)),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.PrefixMatch
                => Value(new StringMatcher.Prefix(message.PrefixMatch, ignoreCase: false)),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.SuffixMatch
                => Value(new StringMatcher.Suffix(message.SuffixMatch, ignoreCase: false)),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.ContainsMatch
                => Value(new StringMatcher.Contains(message.ContainsMatch, ignoreCase: false)),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.SafeRegexMatch
                => Value(new StringMatcher.Regex(Regex(message.SafeRegexMatch, path + ".safe_regex_match"))),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.RangeMatch
                => new HeaderMatcher.Range(name, message.RangeMatch.Start, message.RangeMatch.End, invert, missingAsEmpty),
            Envoy.Config.Route.V3.HeaderMatcher.HeaderMatchSpecifierOneofCase.PresentMatch
                => new HeaderMatcher.Present(name, message.PresentMatch, invert, missingAsEmpty),
            _ => new HeaderMatcher.Present(name, present: true, invert, missingAsEmpty),
        };
#pragma warning restore CS0612

        HeaderMatcher.Value Value(StringMatcher matcher) => new(name, matcher, invert, missingAsEmpty);
    }

    public static QueryParameterMatcher QueryParameter(Envoy.Config.Route.V3.QueryParameterMatcher message, string path)
        => message.QueryParameterMatchSpecifierCase == Envoy.Config.Route.V3.QueryParameterMatcher.QueryParameterMatchSpecifierOneofCase.StringMatch
            ? new QueryParameterMatcher(message.Name, String(message.StringMatch, path + ".string_match"), present: true)
            : new QueryParameterMatcher(
                message.Name,
                matcher: null,
                present: message.QueryParameterMatchSpecifierCase == Envoy.Config.Route.V3.QueryParameterMatcher.QueryParameterMatchSpecifierOneofCase.None
                    || message.PresentMatch);

    public static CookieMatcher Cookie(Envoy.Config.Route.V3.CookieMatcher message, string path)
        => new(message.Name, String(message.StringMatch ?? new(), path + ".string_match"), message.InvertMatch);

    public static MetadataMatcher Metadata(Envoy.Type.Matcher.V3.MetadataMatcher message, string path)
    {
        if (message.Filter.Length == 0)
        {
            throw new ResourceRejectedException(path + ".filter", "must not be empty");
        }

        if (message.Path.Count == 0 || message.Path.Any(segment => segment.Key.Length == 0))
        {
            throw new ResourceRejectedException(path + ".path", "must have a key, and none that is empty");
        }

        return new(
            message.Filter,
            [.. message.Path.Select(p => p.Key)],
            Value(message.Value ?? throw new ResourceRejectedException(path + ".value", "must be set"), path + ".value", 0),
            message.Invert);
    }

    public static Fraction Fraction(FractionalPercent message, string path)
        => message.Denominator switch
        {
            FractionalPercent.Types.DenominatorType.Hundred => new Fraction(message.Numerator, 100),
            FractionalPercent.Types.DenominatorType.TenThousand => new Fraction(message.Numerator, 10_000),
            FractionalPercent.Types.DenominatorType.Million => new Fraction(message.Numerator, 1_000_000),
            _ => throw new ResourceRejectedException(path + ".denominator", $"{message.Denominator} is not a known denominator"),
        };

    private static ValueMatcher Value(Envoy.Type.Matcher.V3.ValueMatcher message, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} deep");
        }

        switch (message.MatchPatternCase)
        {
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.NullMatch:
                return new ValueMatcher.Null();
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.DoubleMatch:
                return message.DoubleMatch.MatchPatternCase switch
                {
                    DoubleMatcher.MatchPatternOneofCase.Range => new ValueMatcher.Range(message.DoubleMatch.Range.Start, message.DoubleMatch.Range.End),
                    DoubleMatcher.MatchPatternOneofCase.Exact => new ValueMatcher.Number(message.DoubleMatch.Exact),
                    _ => throw new ResourceRejectedException(path + ".double_match", "match_pattern must be set"),
                };
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.StringMatch:
                return new ValueMatcher.Text(String(message.StringMatch, path + ".string_match"));
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.BoolMatch:
                return new ValueMatcher.Flag(message.BoolMatch);
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.PresentMatch:
                return new ValueMatcher.Present(message.PresentMatch);
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.ListMatch:
                return new ValueMatcher.OneOf(Value(
                    message.ListMatch.OneOf ?? throw new ResourceRejectedException(path + ".list_match", "match_pattern must be set"), path + ".list_match.one_of", depth + 1));
            case Envoy.Type.Matcher.V3.ValueMatcher.MatchPatternOneofCase.OrMatch:
                return new ValueMatcher.Or([.. message.OrMatch.ValueMatchers.Select((m, i) => Value(m, $"{path}.or_match.value_matchers[{i}]", depth + 1))]);
            default:
                throw new ResourceRejectedException(path, "match_pattern must be set");
        }
    }
}
