using Mesh.DataPlane.Matching;

namespace Mesh.Testing;

/// <summary>What matchers may look at, as it was when the request was decided: the message itself goes on changing.</summary>
internal sealed class RecordedRequest : HeaderReader
{
    private readonly Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string[]> _lines = new(StringComparer.OrdinalIgnoreCase);
    private readonly string _scheme;

    public RecordedRequest(string authority, HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        Authority = authority;
        Method = request.Method.Method;
        PathAndQuery = uri.PathAndQuery;
        _scheme = uri.Scheme;
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            _headers[name] = values.ToString();
            _lines[name] = [.. values];
        }

        if (request.Content is { } content)
        {
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                _headers[name] = values.ToString();
                _lines[name] = [.. values];
            }
        }
    }

    public string Authority { get; }

    public string Method { get; }

    public string PathAndQuery { get; }

    public RequestView View => new(PathAndQuery, Method, Authority, _scheme, this, this);

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var found = _headers.TryGetValue(name.Value, out var text);
        value = text;
        return found;
    }

    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        var found = _lines.TryGetValue(name.Value, out var lines) && index < lines.Length;
        line = found ? lines![index] : null;
        return found;
    }
}
