using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators;

/// <summary>One <c>http.match</c> entry becomes one route match; all its conditions must hold.</summary>
internal static class RouteMatchTranslator
{
    /// <summary>Every missing header of <c>withoutHeaders</c> doubles the routes of a gRPC client: what is beyond must be missing.</summary>
    private const int MaxAlternatives = 6;

    /// <summary>
    /// The route matches that together mean <paramref name="match"/>. gRPC knows no <c>treat_missing_header_as_empty</c>, and to it a
    /// missing header matches nothing, not even inverted: "not v" becomes "missing" or "there, and not v".
    /// </summary>
    public static IEnumerable<RouteMatch> TranslateAll(ProxyKind kind, HTTPMatchRequest match)
    {
        // Nor does gRPC know what tokens have said, and would take every request for the one that is meant.
        if (kind == ProxyKind.Grpc && match.Headers.Keys.Any(name => ClaimHeader.Claims(name) is not null))
        {
            yield break;
        }

        var whole = Translate(kind, match);
        var inverted = whole.Headers
            .Where(header => header.InvertMatch && header.HeaderMatchSpecifierCase != HeaderMatcher.HeaderMatchSpecifierOneofCase.PresentMatch)
            .ToList();
        if (kind != ProxyKind.Grpc || inverted.Count == 0)
        {
            yield return whole;
            yield break;
        }

        foreach (var excess in inverted.Skip(MaxAlternatives))
        {
            excess.PresentMatch = true;
        }

        var choices = Math.Min(inverted.Count, MaxAlternatives);
        for (var missing = 0; missing < 1 << choices; missing++)
        {
            var alternative = whole.Clone();
            for (var i = 0; i < choices; i++)
            {
                if ((missing & (1 << i)) != 0)
                {
                    alternative.Headers[whole.Headers.IndexOf(inverted[i])].PresentMatch = true;
                }
            }

            yield return alternative;
        }
    }

    public static RouteMatch Translate(ProxyKind kind, HTTPMatchRequest? match)
    {
        var result = new RouteMatch { Prefix = "/" };
        if (match is null)
        {
            return result;
        }

        // Maps have no order: by name, so that equal documents give equal bytes.
        foreach (var (name, value) in match.Headers.OrderBy(header => header.Key, StringComparer.Ordinal))
        {
            if (ClaimHeader.Claims(name) is { } claims)
            {
                result.DynamicMetadata.Add(Claim(claims, value));
            }
            else
            {
                result.Headers.Add(HeaderMatcherTranslator.Translate(kind, name, value));
            }
        }

        foreach (var (name, value) in match.WithoutHeaders.OrderBy(header => header.Key, StringComparer.Ordinal))
        {
            if (ClaimHeader.Claims(name) is not { } claims)
            {
                result.Headers.Add(HeaderMatcherTranslator.TranslateAbsence(kind, name, value));
            }
            else if (kind == ProxyKind.Mesh)
            {
                var claim = Claim(claims, value);
                claim.Invert = true;
                result.DynamicMetadata.Add(claim);
            }
        }

        switch (match.Uri?.MatchTypeCase)
        {
            case StringMatch.MatchTypeOneofCase.Exact:
                result.Path = match.Uri.Exact;
                break;
            case StringMatch.MatchTypeOneofCase.Prefix:
                result.Prefix = match.Uri.Prefix;
                break;
            case StringMatch.MatchTypeOneofCase.Regex:
                result.SafeRegex = new RegexMatcher { Regex = match.Uri.Regex };
                break;
        }

        result.CaseSensitive = !match.IgnoreUriCase;
        AddPseudoHeader(":method", match.Method);
        AddPseudoHeader(":authority", match.Authority);
        AddPseudoHeader(":scheme", match.Scheme);
        foreach (var (name, value) in match.QueryParams.OrderBy(parameter => parameter.Key, StringComparer.Ordinal))
        {
            result.QueryParameters.Add(QueryParameter(name, value));
        }

        return result;

        void AddPseudoHeader(string name, StringMatch? value)
        {
            if (value is not null)
            {
                result.Headers.Add(HeaderMatcherTranslator.Translate(kind, name, value));
            }
        }
    }

    /// <summary>Whether every request matches, so that no later route can.</summary>
    public static bool MatchesEverything(RouteMatch match)
    {
        var anyPath = match.PathSpecifierCase switch
        {
            RouteMatch.PathSpecifierOneofCase.Prefix => match.Prefix is "/" or "",
            RouteMatch.PathSpecifierOneofCase.SafeRegex => match.SafeRegex.Regex is ".*" or "/.*" or "*",
            _ => false,
        };
        return anyPath && match.Headers.Count == 0 && match.QueryParameters.Count == 0 && match.DynamicMetadata.Count == 0;
    }

    /// <summary>A claim of the token that <c>jwt_authn</c> has verified: a string, or a list with one.</summary>
    private static MetadataMatcher Claim(string[] claims, StringMatch? value)
        => HeaderMatcherTranslator.IsPresence(value)
            ? MetadataMatchers.Of(MetadataMatchers.JwtFilter, claims.Prepend(MetadataMatchers.JwtPayload), new ValueMatcher { PresentMatch = true })
            : MetadataMatchers.Claims(claims, HeaderMatcherTranslator.ToStringMatcher(value!));

    private static QueryParameterMatcher QueryParameter(string name, StringMatch value)
        => HeaderMatcherTranslator.IsPresence(value)
            ? new QueryParameterMatcher { Name = name, PresentMatch = true }
            : new QueryParameterMatcher { Name = name, StringMatch = HeaderMatcherTranslator.ToStringMatcher(value) };
}
