using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Generators;

/// <summary>Istio's string matches become header matchers in the form that the client reads.</summary>
internal static class HeaderMatcherTranslator
{
    /// <summary>A header that must match; without a match type (or with the regex <c>*</c>, which Istio takes for one) it must be present.</summary>
    public static HeaderMatcher Translate(ProxyKind kind, string name, StringMatch? value)
    {
        var matcher = new HeaderMatcher { Name = name };
        if (IsPresence(value))
        {
            matcher.PresentMatch = true;
        }
        else if (kind == ProxyKind.Mesh)
        {
            matcher.StringMatch = ToStringMatcher(value!);
        }
        else
        {
            SetGrpcForm(matcher, value!);
        }

        return matcher;
    }

    /// <summary><c>withoutHeaders</c>: a missing header counts as an empty one, so that "not v" holds for requests without it.</summary>
    public static HeaderMatcher TranslateAbsence(ProxyKind kind, string name, StringMatch? value)
    {
        var matcher = Translate(kind, name, value);
        matcher.InvertMatch = true;
        if (kind == ProxyKind.Mesh && !IsPresence(value))
        {
            // Contradicts present_match.
            matcher.TreatMissingHeaderAsEmpty = true;
        }

        return matcher;
    }

    public static bool IsPresence(StringMatch? value)
        => value is null or { MatchTypeCase: StringMatch.MatchTypeOneofCase.None } or { MatchTypeCase: StringMatch.MatchTypeOneofCase.Regex, Regex: "*" };

    public static StringMatcher ToStringMatcher(StringMatch value) => value.MatchTypeCase switch
    {
        StringMatch.MatchTypeOneofCase.Prefix => new StringMatcher { Prefix = value.Prefix },
        StringMatch.MatchTypeOneofCase.Regex => new StringMatcher { SafeRegex = new RegexMatcher { Regex = value.Regex } },
        _ => new StringMatcher { Exact = value.Exact },
    };

    /// <summary>gRPC libraries learned <c>string_match</c> with gRFC A63 (C-core 1.56); all of them read the older fields.</summary>
    private static void SetGrpcForm(HeaderMatcher matcher, StringMatch value)
    {
#pragma warning disable CS0612 // The deprecated forms are the ones that every gRPC library reads.
        switch (value.MatchTypeCase)
        {
            case StringMatch.MatchTypeOneofCase.Prefix:
                matcher.PrefixMatch = value.Prefix;
                break;
            case StringMatch.MatchTypeOneofCase.Regex:
                matcher.SafeRegexMatch = new RegexMatcher { Regex = value.Regex };
                break;
            default:
                matcher.ExactMatch = value.Exact;
                break;
        }
#pragma warning restore CS0612
    }
}
