using System.Text;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Redaction;

namespace Mesh.DataPlane.Explaining;

/// <summary>What matchers may look at of a request, as its caller made it: the message itself goes on changing. Bounded.</summary>
internal sealed class RequestSnapshot
{
    private const int MaxHeaders = 64;
    private const int MaxLength = 8 * 1024;

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMethod _method;
    private readonly string _origin;
    private readonly List<(string Name, string Value)> _headers = [];

    public RequestSnapshot(HttpRequestMessage request)
    {
        _method = request.Method;
        var uri = request.RequestUri!;
        _origin = uri.GetLeftPart(UriPartial.Authority);
        PathAndQuery = uri.PathAndQuery.Length <= MaxLength ? uri.PathAndQuery : uri.PathAndQuery[..MaxLength];
        var length = 0;
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            foreach (var value in values)
            {
                length += name.Length + value.Length;
                if (_headers.Count < MaxHeaders && length <= MaxLength)
                {
                    _headers.Add((name, value));
                }
            }
        }
    }

    public string Method => _method.Method;

    public string PathAndQuery { get; }

    /// <summary>The headers as they may be shown.</summary>
    public IEnumerable<(string Name, string Value)> ShownHeaders
        => _headers.Select(h => CredentialHeaders.ArePersonal(h.Name) ? (h.Name, CredentialHeaders.Redacted) : h);

    /// <summary>The request again, for the same matchers.</summary>
    public HttpRequestMessage ToMessage()
    {
        var request = new HttpRequestMessage(_method, new Uri(_origin + PathAndQuery, Verbatim));
        foreach (var (name, value) in _headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>A target as it may be shown: the values of parameters that let somebody in are left out.</summary>
    public static string Shown(string pathAndQuery)
    {
        var query = pathAndQuery.IndexOf('?');
        if (query < 0)
        {
            return pathAndQuery;
        }

        var text = new StringBuilder(pathAndQuery, 0, query + 1, pathAndQuery.Length + 16);
        var isFirst = true;
        foreach (var part in pathAndQuery[(query + 1)..].Split('&'))
        {
            text.Append(isFirst ? "" : "&");
            isFirst = false;
            var equals = part.IndexOf('=');
            if (equals > 0 && CredentialHeaders.ArePersonal(Uri.UnescapeDataString(part[..equals])))
            {
                text.Append(part, 0, equals + 1).Append(CredentialHeaders.Redacted);
            }
            else
            {
                text.Append(part);
            }
        }

        return text.ToString();
    }
}
