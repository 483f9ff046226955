using System.Text.RegularExpressions;
using Envoy.Config.Rbac.V3;
using HeaderMatcher = Envoy.Config.Route.V3.HeaderMatcher;
using StringMatcher = Envoy.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Rules as they are written, held against one request after the other, policy by policy: slow, and nothing to go wrong in.</summary>
internal static class NaiveRbac
{
    /// <returns>The first policy by name that matches.</returns>
    public static string? Find(RBAC rules, TestRequest request)
    {
        var lenient = rules.Action != RBAC.Types.Action.Allow;
        return rules.Policies.OrderBy(p => p.Key, StringComparer.Ordinal)
            .Where(p => p.Value.Permissions.Any(r => Is(r, request, lenient)) && p.Value.Principals.Any(r => Is(r, request, lenient)))
            .Select(p => p.Key)
            .FirstOrDefault();
    }

    private static bool Is(Permission rule, TestRequest request, bool lenient) => rule.RuleCase switch
    {
        Permission.RuleOneofCase.Any => true,
        Permission.RuleOneofCase.AndRules => rule.AndRules.Rules.All(r => Is(r, request, lenient)),
        Permission.RuleOneofCase.OrRules => rule.OrRules.Rules.Any(r => Is(r, request, lenient)),
        Permission.RuleOneofCase.NotRule => !Is(rule.NotRule, request, !lenient),
        Permission.RuleOneofCase.Header => Is(rule.Header, request, lenient),
        Permission.RuleOneofCase.UrlPath => Is(rule.UrlPath.Path, request.Path.Split('?')[0]),
        Permission.RuleOneofCase.DestinationPort => request.Connection?.LocalEndPoint?.Port == rule.DestinationPort,
        _ => throw new NotSupportedException(),
    };

    private static bool Is(Principal rule, TestRequest request, bool lenient) => rule.IdentifierCase switch
    {
        Principal.IdentifierOneofCase.Any => true,
        Principal.IdentifierOneofCase.AndIds => rule.AndIds.Ids.All(r => Is(r, request, lenient)),
        Principal.IdentifierOneofCase.OrIds => rule.OrIds.Ids.Any(r => Is(r, request, lenient)),
        Principal.IdentifierOneofCase.NotId => !Is(rule.NotId, request, !lenient),
        Principal.IdentifierOneofCase.Header => Is(rule.Header, request, lenient),
        Principal.IdentifierOneofCase.UrlPath => Is(rule.UrlPath.Path, request.Path.Split('?')[0]),
        Principal.IdentifierOneofCase.Authenticated => IsPeer(rule.Authenticated.PrincipalName, request, lenient),
        _ => throw new NotSupportedException(),
    };

    private static bool IsPeer(StringMatcher? matcher, TestRequest request, bool lenient)
    {
        if (request.Connection is not { IsTls: true } connection)
        {
            return false;
        }

        if (matcher is null)
        {
            return lenient || connection.PeerCertificate is not null;
        }

        if (lenient)
        {
            return connection.UriNames.Concat(connection.DnsNames).Append(connection.Subject).Any(n => Is(matcher, n));
        }

        return connection.PeerCertificate is not null
            && (connection.UriNames.Count > 0 ? connection.UriNames.All(n => Is(matcher, n))
                : connection.DnsNames.Count > 0 ? connection.DnsNames.Any(n => Is(matcher, n))
                : Is(matcher, connection.Subject));
    }

    private static bool Is(HeaderMatcher matcher, TestRequest request, bool lenient)
    {
        var readings = new List<string>();
        switch (matcher.Name)
        {
            case ":method":
                readings.Add(request.Method);
                if (request.Method == "HEAD" && (lenient || matcher.InvertMatch))
                {
                    readings.Add("GET");
                }

                break;
            case ":authority":
                readings.Add(request.Authority);
                readings.Add(request.Authority.ToLowerInvariant().TrimEnd('.'));
                break;
            default:
                if (request.Headers.TryGetValue(matcher.Name, out var text))
                {
                    readings.AddRange(text.Split('\n'));
                    if (readings.Count > 1 && lenient)
                    {
                        readings.Add(string.Join(", ", readings));
                    }
                }

                break;
        }

        if (matcher.HeaderMatchSpecifierCase != HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch)
        {
            return (readings.Count > 0 || matcher.TreatMissingHeaderAsEmpty) != matcher.InvertMatch;
        }

        if (readings.Count == 0)
        {
            return matcher.TreatMissingHeaderAsEmpty && Is(matcher.StringMatch, "") != matcher.InvertMatch;
        }

        return lenient
            ? readings.Any(r => Is(matcher.StringMatch, r) != matcher.InvertMatch)
            : readings.All(r => Is(matcher.StringMatch, r) != matcher.InvertMatch);
    }

    private static bool Is(StringMatcher matcher, string text)
    {
        var comparison = matcher.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return matcher.MatchPatternCase switch
        {
            StringMatcher.MatchPatternOneofCase.Exact => text.Equals(matcher.Exact, comparison),
            StringMatcher.MatchPatternOneofCase.Prefix => text.StartsWith(matcher.Prefix, comparison),
            StringMatcher.MatchPatternOneofCase.Suffix => text.EndsWith(matcher.Suffix, comparison),
            StringMatcher.MatchPatternOneofCase.Contains => text.Contains(matcher.Contains, comparison),
            _ => Regex.IsMatch(text, $"^(?:{matcher.SafeRegex.Regex})$"),
        };
    }
}
