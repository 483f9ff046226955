using System.Net.Http.Headers;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Posts spans to an address beside the mesh.</summary>
internal sealed class DirectSpanPost(Uri uri, TimeProvider time) : ISpanPost
{
    private const int MaxResponseBytes = 64 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public string Address => uri.ToString();

    public IDisposable Begin() => new Client(this);

    public async Task<byte[]> PostAsync(byte[] body, string contentType, CancellationToken cancellationToken)
    {
        var client = _client ?? throw new InvalidOperationException("nothing is sent before Begin");
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        try
        {
            using var response = await client.PostAsync(uri, content, either.Token).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"it did not answer within {Timeout.TotalSeconds:0} s.");
        }
    }

    private HttpClient? _client;

    private sealed class Client : IDisposable
    {
        private readonly HttpClient _http;

        public Client(DirectSpanPost owner)
        {
            // Neither traced nor meshed.
            _http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null, AllowAutoRedirect = false, UseCookies = false })
            {
                Timeout = System.Threading.Timeout.InfiniteTimeSpan,
                MaxResponseContentBufferSize = MaxResponseBytes,
            };
            owner._client = _http;
        }

        public void Dispose() => _http.Dispose();
    }
}
