using Mesh.Filters;

namespace Mesh.DataPlane.Matching;

/// <summary>What the matchers see of a request, whatever door it came through.</summary>
internal readonly ref struct RequestView
{
    private readonly HeaderReader _headers;
    private readonly object _carrier;

    public RequestView(
        ReadOnlySpan<char> pathAndQuery,
        string method,
        ReadOnlySpan<char> authority,
        string scheme,
        HeaderReader headers,
        object carrier)
    {
        PathAndQuery = pathAndQuery;
        Method = method;
        Authority = authority;
        Scheme = scheme;
        _headers = headers;
        _carrier = carrier;

        var query = pathAndQuery.IndexOfAny('?', '#');
        Path = query < 0 ? pathAndQuery : pathAndQuery[..query];
    }

    /// <summary>The target as sent: path and query.</summary>
    public ReadOnlySpan<char> PathAndQuery { get; }

    /// <summary>The path alone, which all path matchers of Envoy look at.</summary>
    public ReadOnlySpan<char> Path { get; }

    public string Method { get; }

    public ReadOnlySpan<char> Authority { get; }

    public string Scheme { get; }

    /// <summary>Whose metadata filters have filled; <see langword="null"/> where no filter has seen the request.</summary>
    public HttpExchange? Exchange { get; init; }

    /// <summary>The query without <c>?</c> and fragment; empty when there is none.</summary>
    public ReadOnlySpan<char> Query
    {
        get
        {
            if (Path.Length == PathAndQuery.Length || PathAndQuery[Path.Length] != '?')
            {
                return [];
            }

            var query = PathAndQuery[(Path.Length + 1)..];
            var fragment = query.IndexOf('#');
            return fragment < 0 ? query : query[..fragment];
        }
    }

    /// <summary>The same request with another target.</summary>
    public RequestView WithTarget(ReadOnlySpan<char> pathAndQuery) => new(pathAndQuery, Method, Authority, Scheme, _headers, _carrier) { Exchange = Exchange };

    /// <summary>One of the values that a header was sent with, by its place; the parts of the request line have one each.</summary>
    public bool TryGetHeaderLine(HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        if (name.Pseudo == PseudoHeader.None)
        {
            return _headers.TryGetLine(_carrier, name, index, out line);
        }

        line = [];
        return index == 0 && TryGetHeader(name, out line);
    }

    public bool TryGetHeader(HeaderName name, out ReadOnlySpan<char> value)
    {
        switch (name.Pseudo)
        {
            case PseudoHeader.None:
                return _headers.TryGet(_carrier, name, out value);
            case PseudoHeader.Path:
                value = PathAndQuery;
                return true;
            case PseudoHeader.Method:
                value = Method;
                return true;
            case PseudoHeader.Authority:
                value = Authority;
                return true;
            default:
                value = Scheme;
                return true;
        }
    }
}
