namespace Mesh.DataPlane.Upstream;

/// <summary>The host that a request is for, without a port.</summary>
internal static class RequestHost
{
    private static readonly HttpRequestOptionsKey<string> BeforeRouteKey = new("mesh.authority_before_route");

    /// <summary>By its Host header, else by its URI.</summary>
    public static string Of(HttpRequestMessage request, Uri uri) => request.Headers.Host is { Length: > 0 } authority ? NameOf(authority) : UriHost.Of(uri);

    /// <summary>The host that the caller named, whatever the route has made of it: a secure connection is made to that one.</summary>
    public static string BeforeRoute(HttpRequestMessage request, Uri uri)
        => request.Headers.Host is null ? UriHost.Of(uri)
            : request.Options.TryGetValue(BeforeRouteKey, out var authority) ? NameOf(authority)
            : Of(request, uri);

    /// <summary>Keeps the authority that the caller named, before the route names another one.</summary>
    public static void Keep(HttpRequestMessage request, string authority)
    {
        if (RequestScheme.IsSecure(request.RequestUri!))
        {
            request.Options.Set(BeforeRouteKey, authority);
        }
    }

    /// <summary>A copy of a request is sent to the same host.</summary>
    public static void Copy(HttpRequestMessage request, HttpRequestMessage copy)
    {
        if (request.Options.TryGetValue(BeforeRouteKey, out var authority))
        {
            copy.Options.Set(BeforeRouteKey, authority);
        }
    }

    public static void Forget(HttpRequestMessage request)
    {
        if (RequestScheme.IsSecure(request.RequestUri!))
        {
            ((IDictionary<string, object?>)request.Options).Remove(BeforeRouteKey.Key);
        }
    }

    private static string NameOf(string authority)
    {
        var end = RequestTarget.PortStart(authority);
        return authority[0] == '[' ? authority[1..authority.IndexOf(']')] : end == authority.Length ? authority : authority[..end];
    }
}
