namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The keys of conditions, as Istio documents them, and the names in their brackets.</summary>
internal static class AuthorizationKeys
{
    public const string RequestHeaders = "request.headers";
    public const string SourceIp = "source.ip";
    public const string RemoteIp = "remote.ip";
    public const string SourceNamespace = "source.namespace";
    public const string SourceServiceAccount = "source.serviceAccount";
    public const string SourceTrustDomain = "source.trustDomain";
    public const string SourcePrincipal = "source.principal";
    public const string RequestPrincipal = "request.auth.principal";
    public const string RequestAudiences = "request.auth.audiences";
    public const string RequestPresenter = "request.auth.presenter";
    public const string RequestClaims = "request.auth.claims";
    public const string DestinationIp = "destination.ip";
    public const string DestinationPort = "destination.port";
    public const string ConnectionSni = "connection.sni";
    public const string EnvoyFilters = "experimental.envoy.filters.";

    private const string Experimental = "experimental.";

    /// <returns><c>a</c> of <c>[a]</c>, or <see langword="null"/> for anything else.</returns>
    public static string? Name(string brackets)
        => brackets.Length >= 2 && brackets[0] == '[' && brackets[^1] == ']' ? brackets[1..^1] : null;

    /// <returns><c>a</c>, <c>b</c> of <c>[a][b]</c>; of what does not read so, all between the outer brackets is one name.</returns>
    public static string[]? NestedNames(string brackets)
    {
        var names = new List<string>();
        for (var begin = 0; begin < brackets.Length;)
        {
            var end = brackets[begin] == '[' ? brackets.IndexOfAny(['[', ']'], begin + 1) : -1;
            if (end < 0 || brackets[end] == '[')
            {
                return Name(brackets) is { } whole ? [whole] : null;
            }

            names.Add(brackets[(begin + 1)..end]);
            begin = end + 1;
        }

        return names.Count == 0 ? null : [.. names];
    }

    /// <returns><c>envoy.filters.a.b</c> and <c>c</c> of <c>experimental.envoy.filters.a.b[c]</c>.</returns>
    public static (string Filter, string Key)? FilterAndKey(string key)
    {
        var open = key.IndexOf('[', StringComparison.Ordinal);
        return open > EnvoyFilters.Length && key[^1] == ']' && open < key.Length - 2 ? (key[Experimental.Length..open], key[(open + 1)..^1]) : null;
    }
}
