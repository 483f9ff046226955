using Google.Protobuf.Collections;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>Both of two lists of matches at once: an entry's and those of the route it delegates to.</summary>
internal static class MatchMerger
{
    /// <returns>
    /// Every match of the delegate, completed by each match of the entry that it narrows; <see langword="null"/> when one of them
    /// narrows none.
    /// </returns>
    public static IReadOnlyList<HTTPMatchRequest>? Merge(IReadOnlyList<HTTPMatchRequest> root, IReadOnlyList<HTTPMatchRequest> leaf)
    {
        if (root.Count == 0 || leaf.Count == 0)
        {
            return [.. root, .. leaf];
        }

        var merged = new List<HTTPMatchRequest>();
        foreach (var match in leaf)
        {
            var count = merged.Count;
            merged.AddRange(root.Where(outer => !Conflict(outer, match)).Select(outer => Merge(outer, match)));
            if (merged.Count == count)
            {
                return null;
            }
        }

        return merged;
    }

    public static string Join(string root, string leaf) => leaf.Length == 0 ? root : root.Length == 0 ? leaf : $"{root}-{leaf}";

    private static HTTPMatchRequest Merge(HTTPMatchRequest root, HTTPMatchRequest leaf)
    {
        var merged = leaf.Clone();
        merged.Name = Join(root.Name, leaf.Name);
        merged.Uri ??= root.Uri;
        merged.Scheme ??= root.Scheme;
        merged.Method ??= root.Method;
        merged.Authority ??= root.Authority;
        Complete(merged.Headers, root.Headers);
        Complete(merged.WithoutHeaders, root.WithoutHeaders);
        Complete(merged.QueryParams, root.QueryParams);
        Complete(merged.SourceLabels, root.SourceLabels);
        merged.Port = merged.Port == 0 ? root.Port : merged.Port;
        merged.SourceNamespace = merged.SourceNamespace.Length == 0 ? root.SourceNamespace : merged.SourceNamespace;
        merged.StatPrefix = merged.StatPrefix.Length == 0 ? root.StatPrefix : merged.StatPrefix;
        if (merged.Gateways.Count == 0)
        {
            merged.Gateways.AddRange(root.Gateways);
        }

        return merged;
    }

    private static void Complete<T>(MapField<string, T> map, MapField<string, T> from)
    {
        foreach (var (key, value) in from)
        {
            if (!map.ContainsKey(key))
            {
                map.Add(key, value);
            }
        }
    }

    /// <summary>Whether the inner match takes anything that the outer does not, as far as Istio tells.</summary>
    private static bool Conflict(HTTPMatchRequest outer, HTTPMatchRequest inner)
        => Conflict(outer.Uri, inner.Uri)
            || Conflict(outer.Scheme, inner.Scheme)
            || Conflict(outer.Method, inner.Method)
            || Conflict(outer.Authority, inner.Authority)
            || Conflict(outer.Headers, inner.Headers)
            || Conflict(outer.WithoutHeaders, inner.WithoutHeaders)
            || Conflict(outer.QueryParams, inner.QueryParams)
            || outer.IgnoreUriCase != inner.IgnoreUriCase
            || (outer.Port > 0 && inner.Port > 0 && outer.Port != inner.Port)
            // Unlike the others it must be repeated.
            || (outer.SourceNamespace.Length > 0 && outer.SourceNamespace != inner.SourceNamespace)
            || inner.SourceLabels.Any(label => outer.SourceLabels.TryGetValue(label.Key, out var value) && value != label.Value)
            || (outer.Gateways.Count > 0 && inner.Gateways.Any(gateway => !outer.Gateways.Contains(gateway)));

    private static bool Conflict(MapField<string, StringMatch> outer, MapField<string, StringMatch> inner)
        => inner.Any(entry => outer.TryGetValue(entry.Key, out var value) && Conflict(value, entry.Value));

    private static bool Conflict(StringMatch? outer, StringMatch? inner)
    {
        if (outer is null || inner is null)
        {
            return false;
        }

        // Of patterns nobody tells whether one narrows the other, and mere presence narrows nothing.
        return (outer.MatchTypeCase, inner.MatchTypeCase) switch
        {
            (StringMatch.MatchTypeOneofCase.Exact, StringMatch.MatchTypeOneofCase.Exact) => outer.Exact != inner.Exact,
            (StringMatch.MatchTypeOneofCase.Prefix, StringMatch.MatchTypeOneofCase.Prefix) => !inner.Prefix.StartsWith(outer.Prefix, StringComparison.Ordinal),
            (StringMatch.MatchTypeOneofCase.Prefix, StringMatch.MatchTypeOneofCase.Exact) => !inner.Exact.StartsWith(outer.Prefix, StringComparison.Ordinal),
            _ => true,
        };
    }
}
