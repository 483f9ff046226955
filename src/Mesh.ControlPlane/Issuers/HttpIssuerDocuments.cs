using System.Net;
using System.Net.Sockets;

namespace Mesh.ControlPlane.Issuers;

/// <summary>
/// Fetches documents from where issuers publish them, over the control plane's own network as istiod does, and past the mesh of this process. An answer is
/// believed as far as the server's certificate is, which the system's authorities must have signed.
/// </summary>
/// <param name="handler">Makes the requests; it is this object's.</param>
internal sealed class HttpIssuerDocuments(HttpMessageHandler handler) : IIssuerDocuments, IDisposable
{
    private const int MaxBytes = 64 * 1024;

    private readonly HttpClient _http = new(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxBytes };

    public static SocketsHttpHandler CreateHandler() => new()
    {
        ActivityHeadersPropagator = null,
        UseCookies = false,
        AllowAutoRedirect = true, // never from https to http
        MaxAutomaticRedirections = 5,
        MaxResponseHeadersLength = 32,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
    };

    public async Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        try
        {
            using var response = await _http.GetAsync(address, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK
                ? await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)
                : throw new IssuerException($"it answers with status {(int)response.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            throw new IssuerException(
                e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded ? $"its answer has more than {MaxBytes / 1024} KiB" : ReasonOf(e), e);
        }
        catch (IOException e)
        {
            throw new IssuerException(e.Message, e);
        }
    }

    public void Dispose() => _http.Dispose();

    private static string ReasonOf(HttpRequestException exception)
        => exception.InnerException is SocketException or System.Security.Authentication.AuthenticationException ? exception.InnerException.Message.TrimEnd('.') : exception.Message.TrimEnd('.');
}
