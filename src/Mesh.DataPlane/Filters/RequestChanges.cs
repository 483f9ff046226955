using System.Net.Http.Headers;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>
/// What filters have changed of a request message, to take it back: the message is the caller's, who may send it again, and what was added once
/// must not be added twice.
/// </summary>
internal sealed class RequestChanges
{
    private readonly List<(string Name, string[] Values)> _headers = [];
    private HttpMethod? _method;
    private Uri? _uri;
    private string? _host;
    private HttpContent? _content;

    /// <summary>Remembers the request line and the content, once.</summary>
    public void Save(HttpRequestMessage request)
    {
        if (_uri is null)
        {
            (_method, _uri, _host, _content) = (request.Method, request.RequestUri, request.Headers.Host, request.Content);
        }
    }

    /// <summary>Remembers a header, once.</summary>
    public void Save(HttpRequestMessage request, string name)
    {
        Save(request);
        foreach (var (saved, _) in _headers)
        {
            if (saved.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }
        }

        _headers.Add((
            name,
            MessageHeaders.Of(HeaderSide.Request, request, null, name, create: false) is { } headers && headers.NonValidated.TryGetValues(name, out var values)
                ? [.. values]
                : []));
    }

    public void Undo(HttpRequestMessage request)
    {
        if (_uri is null)
        {
            return;
        }

        (request.Method, request.RequestUri, request.Content) = (_method!, _uri, _content);
        foreach (var (name, values) in _headers)
        {
            if (MessageHeaders.Of(HeaderSide.Request, request, null, name, create: false) is { } headers)
            {
                Restore(headers, name, values);
            }
        }

        request.Headers.Host = _host;
        _headers.Clear();
        (_method, _uri, _host, _content) = (null, null, null, null);
    }

    private static void Restore(HttpHeaders headers, string name, string[] values)
    {
        headers.Remove(name);
        if (values.Length > 0)
        {
            headers.TryAddWithoutValidation(name, values);
        }
    }
}
