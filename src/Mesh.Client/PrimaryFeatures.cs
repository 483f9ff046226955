using System.Net;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Upstream;

namespace Mesh.Client;

/// <summary>
/// What a client's primary handler promises its callers and the endpoints' transports do not do: redirects, cookies, decompression. For hosts of
/// the mesh the mesh does them; what it cannot do is named once.
/// </summary>
internal sealed class PrimaryFeatures
{
    private readonly CookieContainer? _cookies;
    private readonly DecompressionMethods _decompression;
    private readonly string _acceptEncoding;
    private readonly int _maxRedirects;

    private PrimaryFeatures(bool followsRedirects, int maxRedirects, CookieContainer? cookies, DecompressionMethods decompression, IReadOnlyList<string> unsupported)
    {
        FollowsRedirects = followsRedirects;
        _maxRedirects = maxRedirects;
        _cookies = cookies;
        _decompression = decompression;
        _acceptEncoding = DecompressedContent.AcceptEncoding(decompression);
        Unsupported = unsupported;
    }

    /// <summary>A primary handler that sends, and does nothing beside.</summary>
    public static PrimaryFeatures None { get; } = new(followsRedirects: false, 0, cookies: null, DecompressionMethods.None, []);

    public bool FollowsRedirects { get; }

    /// <summary>Whether redirects of hosts outside the mesh come back here, too.</summary>
    public bool FollowsRedirectsOutside { get; private set; }

    /// <summary>What the primary handler does and the mesh cannot do in its place.</summary>
    public IReadOnlyList<string> Unsupported { get; }

    /// <summary>What the client says of TLS for requests by <c>https</c>; <see langword="null"/> for nothing.</summary>
    public CallerTls? Tls { get; private set; }

    public bool IsNone => Tls is null && !FollowsRedirects && _cookies is null && _decompression == DecompressionMethods.None;

    /// <summary>
    /// Says what the primary handler does, and takes the redirects off it: one from outside to a name of the mesh must be routed like any other
    /// request instead of asking DNS.
    /// </summary>
    public static PrimaryFeatures TakeOver(HttpMessageHandler primary)
    {
        var features = Of(primary);
        features.Tls = PrimaryTls.Of(primary);
        if (features.FollowsRedirects)
        {
            try
            {
                switch (primary)
                {
                    case SocketsHttpHandler h:
                        h.AllowAutoRedirect = false;
                        break;
                    case HttpClientHandler h:
                        h.AllowAutoRedirect = false;
                        break;
                }

                features.FollowsRedirectsOutside = true;
            }
            catch (InvalidOperationException)
            {
                // It has sent requests already and cannot be changed any more.
            }
        }

        return features;
    }

    private static PrimaryFeatures Of(HttpMessageHandler primary)
        => primary switch
        {
            SocketsHttpHandler h => new PrimaryFeatures(
                h.AllowAutoRedirect,
                h.MaxAutomaticRedirections,
                h.UseCookies ? h.CookieContainer : null,
                h.AutomaticDecompression,
                [
                    .. Named("Proxy", h.UseProxy && h.Proxy is not null),
                    .. Named("Credentials", h.Credentials is not null),
                    .. Named("ConnectCallback", h.ConnectCallback is not null),
                    .. Named("PlaintextStreamFilter", h.PlaintextStreamFilter is not null),
                ]),
            HttpClientHandler h => new PrimaryFeatures(
                h.AllowAutoRedirect,
                h.MaxAutomaticRedirections,
                h.UseCookies ? h.CookieContainer : null,
                h.AutomaticDecompression,
                [
                    .. Named("Proxy", h.UseProxy && h.Proxy is not null),
                    .. Named("Credentials", h.Credentials is not null || h.UseDefaultCredentials),
                    .. Named("ClientCertificateOptions", h.ClientCertificateOptions == ClientCertificateOption.Automatic),
                ]),

            // A handler of the application's own: nobody can tell what it does, and a test's stub does none of it.
            _ => new PrimaryFeatures(false, 0, null, DecompressionMethods.None, [primary.GetType().FullName ?? primary.GetType().Name]),
        };

    public int RedirectsLeft(HttpRequestMessage request) => _maxRedirects - Redirection.HopsOf(request);

    /// <summary>Adds what the primary handler would have added.</summary>
    /// <returns>What <see cref="Restore"/> has to take away again.</returns>
    public Added Prepare(HttpRequestMessage request, Uri uri)
    {
        var added = Added.None;
        if (Tls is not null && RequestScheme.IsSecure(uri))
        {
            Tls.AddTo(request);
            added |= Added.Tls;
        }

        if (_cookies is { Count: > 0 } && _cookies.GetCookieHeader(uri) is { Length: > 0 } cookie && !request.Headers.Contains("Cookie"))
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
            added |= Added.Cookie;
        }

        if (_decompression != DecompressionMethods.None && !request.Headers.Contains("Accept-Encoding"))
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", _acceptEncoding);
            added |= Added.AcceptEncoding;
        }

        return added;
    }

    /// <summary>Takes it away again: the caller may send the same message once more.</summary>
    public static void Restore(HttpRequestMessage request, Added added)
    {
        if ((added & Added.Tls) != 0)
        {
            CallerTls.RemoveFrom(request);
        }

        if ((added & Added.Cookie) != 0)
        {
            request.Headers.Remove("Cookie");
        }

        if ((added & Added.AcceptEncoding) != 0)
        {
            request.Headers.Remove("Accept-Encoding");
        }
    }

    public void Complete(HttpResponseMessage response, Uri uri)
    {
        if (_cookies is not null && response.Headers.NonValidated.TryGetValues("Set-Cookie", out var cookies))
        {
            foreach (var cookie in cookies)
            {
                try
                {
                    _cookies.SetCookies(uri, cookie);
                }
                catch (CookieException)
                {
                    // As in SocketsHttpHandler: a cookie that cannot be parsed is not kept.
                }
            }
        }

        DecompressedContent.Decompress(response, _decompression);
    }

    private static IEnumerable<string> Named(string name, bool isSet) => isSet ? [name] : [];

    /// <summary>What of a message is not its caller's.</summary>
    [Flags]
    public enum Added
    {
        None = 0,
        Cookie = 1,
        AcceptEncoding = 2,
        Tls = 4,
    }
}
