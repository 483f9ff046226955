namespace Mesh.ControlPlane.Model;

/// <summary>How Istio compares and completes host names.</summary>
internal static class Hostname
{
    public static bool IsWildcard(string host) => host.StartsWith('*');

    /// <summary>Completes a name without a dot with the namespace it was written in (<c>reviews</c> → <c>reviews.default.svc.cluster.local</c>).</summary>
    /// <remarks>Istio completes only names without any dot: <c>reviews.prod</c> stays as it is.</remarks>
    public static string Resolve(string host, string @namespace, string clusterDomain)
        => IsWildcard(host) || host.Contains('.', StringComparison.Ordinal) ? host.ToLowerInvariant() : OfService(host, @namespace, clusterDomain);

    /// <summary>The fully qualified name of a Kubernetes Service.</summary>
    public static string OfService(string name, string @namespace, string clusterDomain)
        => $"{name}.{@namespace}.svc.{clusterDomain}".ToLowerInvariant();

    /// <summary>Whether <paramref name="pattern"/> (exact, <c>*.x</c> or <c>*</c>) covers <paramref name="host"/>, which may be a wildcard itself.</summary>
    public static bool Covers(string pattern, string host)
    {
        if (!IsWildcard(pattern))
        {
            return pattern == host;
        }

        var rest = IsWildcard(host) ? host.AsSpan(1) : host;
        return rest.EndsWith(pattern.AsSpan(1), StringComparison.Ordinal);
    }

    /// <summary>
    /// The keys under which a rule for <paramref name="host"/> may be filed, the longest suffix first: itself, <c>*.b.c</c>, <c>*.c</c>, <c>*</c>; a
    /// suffix may begin with a hyphen too, as Envoy's domains do (<c>*-eu.b.c</c>).
    /// </summary>
    public static IEnumerable<string> Covering(string host)
    {
        yield return host;
        for (var i = IsWildcard(host) ? 2 : 1; i < host.Length; i++)
        {
            if (host[i] is '.' or '-')
            {
                yield return string.Concat("*", host.AsSpan(i));
            }
        }

        if (host != "*")
        {
            yield return "*";
        }
    }
}
