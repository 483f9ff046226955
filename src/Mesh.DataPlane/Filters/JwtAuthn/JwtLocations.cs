using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Where a provider's tokens stand in a request: headers, query parameters, cookies; by default <c>Authorization: Bearer</c> and <c>access_token</c>.</summary>
internal sealed class JwtLocations
{
    private const string Authorization = "authorization";
    private const string Bearer = "Bearer ";
    private const string AccessToken = "access_token";

    // RFC 4648, section 5, and the dots between the parts.
    private static readonly System.Buffers.SearchValues<char> TokenCharacters
        = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private readonly (string Name, string Prefix)[] _headers;
    private readonly string[] _parameters;
    private readonly string[] _cookies;

    public JwtLocations(JwtProvider provider)
    {
        _headers = [.. provider.FromHeaders.Select(h => (h.Name.ToLowerInvariant(), h.ValuePrefix))];
        _parameters = [.. provider.FromParams];
        _cookies = [.. provider.FromCookies];
        if (_headers.Length == 0 && _parameters.Length == 0 && _cookies.Length == 0)
        {
            _headers = [(Authorization, Bearer)];
            _parameters = [AccessToken];
        }
    }

    /// <summary>All tokens, wherever they stand: each of them has to be good.</summary>
    public List<JwtFound> Find(HttpExchange exchange)
    {
        // Nearly always it is one.
        var found = new List<JwtFound>(1);
        foreach (var (name, prefix) in _headers)
        {
            if (!exchange.RequestHeaders.TryGet(name, out var joined))
            {
                continue;
            }

            if (!joined.Contains(','))
            {
                Add(joined);
                continue;
            }

            // Several values, or one with a comma.
            foreach (var (key, value) in exchange.RequestHeaders)
            {
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    Add(value);
                }
            }

            void Add(string value)
            {
                if (TokenIn(value, prefix) is { } token)
                {
                    found.Add(new JwtFound(token, JwtPlace.Header, name));
                }
            }
        }

        foreach (var name in _parameters)
        {
            if (QueryString.First(exchange.Path, name) is { } token)
            {
                found.Add(new JwtFound(token.AsMemory(), JwtPlace.Parameter, name));
            }
        }

        if (_cookies.Length > 0 && exchange.RequestHeaders.TryGet("cookie", out var cookies))
        {
            foreach (var name in _cookies)
            {
                if (CookieMatcher.TryGet(cookies, name, out var token))
                {
                    found.Add(new JwtFound(token.ToString().AsMemory(), JwtPlace.Cookie, name));
                }
            }
        }

        return found;
    }

    // As Envoy: the prefix may stand anywhere; what follows begins at the first character that a token may have.
    private static ReadOnlyMemory<char>? TokenIn(string value, string prefix)
    {
        if (prefix.Length == 0)
        {
            return value.AsMemory();
        }

        var at = value.IndexOf(prefix, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var start = value.AsSpan(at + prefix.Length).IndexOfAny(TokenCharacters);
        return start < 0 ? value.AsMemory() : value.AsMemory(at + prefix.Length + start);
    }
}
