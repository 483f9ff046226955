using System.Net;

namespace Mesh.Client.DefaultProxy;

/// <summary>Makes the request that goes on of the one that came in.</summary>
internal static class ForwardedRequest
{
    private const string Http = "http://";

    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Whether the caller wants the connection for something else.</summary>
    public static bool IsUpgrade(RequestHead head) => head.IsHttp11 && head.Lists("Connection", "Upgrade") && head["Upgrade"] is not null;

    /// <param name="head">What came in.</param>
    /// <param name="through">The host of the tunnel in which it came; <see langword="null"/> when the request says itself where it goes.</param>
    /// <param name="content">Its body; <see langword="null"/> when there is none.</param>
    /// <exception cref="BadRequestException">It does not say where it goes.</exception>
    public static HttpRequestMessage Create(RequestHead head, ProxyTarget? through, HttpContent? content)
    {
        var request = new HttpRequestMessage(new HttpMethod(head.Method), UriOf(head, through))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = content,
        };
        var isUpgrade = IsUpgrade(head);
        foreach (var (name, value) in head.Fields)
        {
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
            {
                // Behind a whole URI the field counts for nothing (RFC 9112, section 3.2.2); in a tunnel it may name another host than the connection did.
                if (through is not null && value.Length > 0 && !IsAuthorityOf(request.RequestUri!, value))
                {
                    request.Headers.Host = IsHost(value) ? value : throw new BadRequestException(HttpStatusCode.BadRequest, "Host names no host");
                }
            }
            else if (IsForwarded(name, head) || (isUpgrade && name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase)))
            {
                Add(request, name, value);
            }
        }

        if (isUpgrade)
        {
            request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        }
        else if (head.Lists("TE", "trailers"))
        {
            request.Headers.TryAddWithoutValidation("TE", "trailers");
        }

        return request;
    }

    // The length is the content's own; 100 (Continue) is between the caller and this end.
    private static bool IsForwarded(string name, RequestHead head)
        => !HopByHop.Contains(name)
            && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
            && !name.Equals("Expect", StringComparison.OrdinalIgnoreCase)
            && !head.Lists("Connection", name);

    private static void Add(HttpRequestMessage request, string name, string value)
    {
        if (!request.Headers.TryAddWithoutValidation(name, value))
        {
            request.Content ??= new ByteArrayContent([]);
            request.Content.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private static Uri UriOf(RequestHead head, ProxyTarget? through)
    {
        var text = head.Target switch
        {
            ['/', ..] when through is { } target => Http + target.Authority + head.Target,
            _ when head.Target.StartsWith(Http, StringComparison.OrdinalIgnoreCase) => WithPath(head.Target),
            _ => throw new BadRequestException(HttpStatusCode.BadRequest, "the target of the request is neither the URI of an http resource nor a path in a tunnel"),
        };
        return Uri.TryCreate(text, AsItIs, out var uri) && uri.UserInfo.Length == 0 && uri.Host.Length > 0 && IsHost(uri.Authority)
            ? uri
            : throw new BadRequestException(HttpStatusCode.BadRequest, "the target of the request is no URI of an http resource");
    }

    // Not canonicalized, a URI keeps an empty path, which no request line has.
    private static string WithPath(string text)
    {
        var path = text.AsSpan(Http.Length).IndexOfAny('/', '?');
        return path switch
        {
            < 0 => text + "/",
            _ when text[Http.Length + path] == '?' => text.Insert(Http.Length + path, "/"),
            _ => text,
        };
    }

    private static bool IsAuthorityOf(Uri uri, string host)
        => host.Equals(uri.Authority, StringComparison.OrdinalIgnoreCase)
            || (uri.IsDefaultPort && host.Equals($"{uri.Host}:{uri.Port}", StringComparison.OrdinalIgnoreCase));

    private static bool IsHost(string authority)
        => ProxyTarget.Parse(authority) is not null || ProxyTarget.Parse(authority + ":80") is not null;
}
