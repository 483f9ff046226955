using System.Net.Http.Headers;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Changes a caller's message and remembers what it was: <see cref="Undo"/> gives the message back with the headers, the address and the content
/// it came with. Remembers only what is touched.
/// </summary>
internal sealed class RequestEdit : HeaderMap
{
    private readonly HttpRequestMessage _request;
    private readonly Uri _uri;
    private readonly HttpContent? _content;
    private readonly List<(HttpHeaders Headers, string Name, object? Values)> _saved = [];
    private bool _contentAdded;
    private bool _authoritySet;

    public RequestEdit(HttpRequestMessage request)
    {
        _request = request;
        _uri = request.RequestUri!;
        _content = request.Content;
        Authority = RequestTarget.AuthorityOf(request);
    }

    public HttpRequestMessage Request => _request;

    /// <summary>The authority that the message came with.</summary>
    public string Authority { get; }

    public override IEnumerable<string> Names
        => _request.Headers.NonValidated.Select(h => h.Key).Concat(_request.Content?.Headers.NonValidated.Select(h => h.Key) ?? []);

    public override bool Contains(HeaderName name) => Headers(name) is { } headers && headers.NonValidated.Contains(name.Value);

    public override void Remove(HeaderName name)
    {
        if (Headers(name) is { } headers && headers.NonValidated.Contains(name.Value))
        {
            Save(headers, name.Value);
            headers.Remove(name.Value);
        }
    }

    public override void Add(HeaderName name, string value)
    {
        if (Headers(name) is not { } headers)
        {
            // System.Net.Http has no place for a content header without content.
            _request.Content = new ByteArrayContent([]);
            _contentAdded = true;
            headers = _request.Content.Headers;
        }

        Save(headers, name.Value);
        headers.TryAddWithoutValidation(name.Value, value);
    }

    /// <summary>The last element of a header that is a list; <see langword="null"/> when it has none.</summary>
    public string? Last(HeaderName name)
        => Headers(name) is { } headers && headers.NonValidated.TryGetValues(name.Value, out var values)
            ? values.ToString() is var list && list.LastIndexOf(',') is >= 0 and var comma ? list[(comma + 1)..].Trim() : list.Trim()
            : null;

    /// <summary>Adds an element to a header that is one list, as Envoy writes it: without a space.</summary>
    public void Join(HeaderName name, string element)
    {
        var list = Headers(name) is { } headers && headers.NonValidated.TryGetValues(name.Value, out var values) ? values.ToString() : "";
        Set(name, list.Length == 0 ? element : $"{list},{element}");
    }

    /// <summary>Replaces path and query.</summary>
    public void SetTarget(string pathAndQuery) => _request.RequestUri = RequestTarget.With(_uri, pathAndQuery);

    /// <summary>Replaces the authority that goes over the wire; where the connection goes does not change.</summary>
    public void SetAuthority(string authority)
    {
        Save(_request.Headers, "Host");
        RequestHost.Keep(_request, Authority);
        _authoritySet = true;
        _request.Headers.Host = authority;
    }

    /// <summary>Makes the message what it was.</summary>
    public void Undo()
    {
        for (var i = _saved.Count - 1; i >= 0; i--)
        {
            var (headers, name, values) = _saved[i];
            headers.Remove(name);
            switch (values)
            {
                case string value:
                    headers.TryAddWithoutValidation(name, value);
                    break;
                case string[] several:
                    headers.TryAddWithoutValidation(name, several);
                    break;
            }
        }

        _saved.Clear();
        if (!ReferenceEquals(_request.RequestUri, _uri))
        {
            _request.RequestUri = _uri;
        }

        if (_authoritySet)
        {
            RequestHost.Forget(_request);
            _authoritySet = false;
        }

        if (_contentAdded)
        {
            _request.Content = _content;
            _contentAdded = false;
        }
    }

    private HttpHeaders? Headers(HeaderName name) => name.IsContentHeader ? _request.Content?.Headers : _request.Headers;

    private void Save(HttpHeaders headers, string name)
    {
        foreach (var saved in _saved)
        {
            if (ReferenceEquals(saved.Headers, headers) && saved.Name == name)
            {
                return;
            }
        }

        object? values = null;
        if (headers.NonValidated.TryGetValues(name, out var present))
        {
            values = present.Count == 1 ? present.ToString() : present.ToArray();
        }

        _saved.Add((headers, name, values));
    }
}
