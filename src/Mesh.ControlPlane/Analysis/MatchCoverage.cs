using Google.Protobuf.Collections;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Whether one match takes every request that another does. A "no" may be wrong (patterns are not compared), a "yes" never is.</summary>
internal static class MatchCoverage
{
    public static bool Covers(HTTPMatchRequest wide, HTTPMatchRequest narrow)
        => CoversUri(wide, narrow)
            && Covers(wide.Scheme, narrow.Scheme)
            && Covers(wide.Method, narrow.Method)
            && Covers(wide.Authority, narrow.Authority)
            && Covers(wide.Headers, narrow.Headers)
            && Covers(wide.QueryParams, narrow.QueryParams)
            && wide.WithoutHeaders.All(entry => narrow.WithoutHeaders.TryGetValue(entry.Key, out var value) && value.Equals(entry.Value))
            && (wide.Port == 0 || wide.Port == narrow.Port)
            && CoversSource(wide, narrow);

    // Naming gateways takes the place of the other conditions on the source.
    private static bool CoversSource(HTTPMatchRequest wide, HTTPMatchRequest narrow)
        => wide.Gateways.Count > 0
            ? narrow.Gateways.Count > 0 && narrow.Gateways.All(wide.Gateways.Contains)
            : (wide.SourceNamespace.Length == 0 && wide.SourceLabels.Count == 0)
                || (narrow.Gateways.Count == 0
                    && (wide.SourceNamespace.Length == 0 || wide.SourceNamespace == narrow.SourceNamespace)
                    && wide.SourceLabels.All(label => narrow.SourceLabels.TryGetValue(label.Key, out var value) && value == label.Value));

    private static bool CoversUri(HTTPMatchRequest wide, HTTPMatchRequest narrow)
    {
        if (wide.Uri is null)
        {
            return true;
        }

        if (narrow.Uri is null)
        {
            return wide.Uri.HasPrefix && wide.Uri.Prefix is "" or "/";
        }

        return (wide.IgnoreUriCase || !narrow.IgnoreUriCase || wide.Uri.HasRegex)
            && Covers(wide.Uri, narrow.Uri, wide.IgnoreUriCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
    }

    private static bool Covers(MapField<string, StringMatch> wide, MapField<string, StringMatch> narrow)
        => wide.All(entry => narrow.TryGetValue(entry.Key, out var value) && (IsPresence(entry.Value) || Covers(entry.Value, value)));

    private static bool Covers(StringMatch? wide, StringMatch? narrow, StringComparison comparison = StringComparison.Ordinal)
    {
        if (wide is null)
        {
            return true;
        }

        return (wide.MatchTypeCase, narrow?.MatchTypeCase) switch
        {
            (StringMatch.MatchTypeOneofCase.Exact, StringMatch.MatchTypeOneofCase.Exact) => wide.Exact.Equals(narrow!.Exact, comparison),
            (StringMatch.MatchTypeOneofCase.Prefix, StringMatch.MatchTypeOneofCase.Exact) => narrow!.Exact.StartsWith(wide.Prefix, comparison),
            (StringMatch.MatchTypeOneofCase.Prefix, StringMatch.MatchTypeOneofCase.Prefix) => narrow!.Prefix.StartsWith(wide.Prefix, comparison),
            _ => wide.Equals(narrow),
        };
    }

    private static bool IsPresence(StringMatch match)
        => match.MatchTypeCase == StringMatch.MatchTypeOneofCase.None || match is { HasRegex: true, Regex: "*" };
}
