using System.Net;
using System.Net.Http.Headers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// One endpoint's own handler and pool: whatever host a request names, connections go to this address, and the Host header, authority and
/// server name are the caller's. <see cref="SocketsHttpHandler"/> keeps a pool for each host and port of a URI, though; so the first authority
/// it sees stands for all in clear text, and only requests that name another one pay for another URI.
/// </summary>
internal sealed class SocketTransport : IEndpointTransport
{
    private readonly HttpMessageInvoker _invoker;
    private readonly TransportSettings _settings;
    private readonly EndpointDialer _dialer;
    private PoolAuthority? _authority;

    public SocketTransport(EndPoint address, TransportSettings settings, ClusterStats stats, TimeProvider time)
    {
        _settings = settings;
        _dialer = new EndpointDialer(address, settings, stats, time);

        // The handler's own limit of connections stays out of the way: the cluster's circuit breakers decide.
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = settings.IdleTimeout,
            PooledConnectionLifetime = settings.MaxConnectionDuration,

            // Envoy passes the bytes on; the handler alone would fail the request, which would look like the host's failure.
            RequestHeaderEncodingSelector = static (_, _) => System.Text.Encoding.UTF8,
        };
        if (settings.MaxResponseHeadersKb is { } kilobytes)
        {
            handler.MaxResponseHeadersLength = (int)kilobytes;
        }

        if (settings.MaxConcurrentStreams is { } streams)
        {
            handler.PlaintextStreamFilter = (context, _) => ValueTask.FromResult(
                context.NegotiatedHttpVersion.Major == 2 ? new StreamLimit(context.PlaintextStream, streams) : context.PlaintextStream);
        }

        if (settings.InitialStreamWindowSize is { } window)
        {
            handler.InitialHttp2StreamWindowSize = (int)window;
        }

        if (settings is { KeepaliveInterval: { } interval, KeepaliveTimeout: { } timeout })
        {
            handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always;
            handler.KeepAlivePingDelay = interval;
            handler.KeepAlivePingTimeout = timeout;
        }

        _invoker = new HttpMessageInvoker(handler);
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        return _settings.MaxHeadersCount is { } headers ? SendLimitedAsync(request, headers, cancellationToken) : SendUnlimitedAsync(request, cancellationToken);
    }

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
        => new UpstreamConnection(await _dialer.DialAsync(cancellationToken).ConfigureAwait(false), _dialer.Stats, _dialer.Open);

    public bool HasConnections => _dialer.Open.Any;

    public void Dispose() => _invoker.Dispose();

    private static int HeaderLines(HttpHeaders headers)
    {
        var lines = 0;
        foreach (var (_, values) in headers.NonValidated)
        {
            lines += values.Count;
        }

        return lines;
    }

    private async Task<HttpResponseMessage> SendLimitedAsync(HttpRequestMessage request, uint maxHeaders, CancellationToken cancellationToken)
    {
        var response = await SendUnlimitedAsync(request, cancellationToken).ConfigureAwait(false);
        if (HeaderLines(response.Headers) + HeaderLines(response.Content.Headers) <= maxHeaders)
        {
            return response;
        }

        response.Dispose();
        throw new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded, $"The response has more headers than the cluster's max_headers_count of {maxHeaders}.");
    }

    private Task<HttpResponseMessage> SendUnlimitedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        return IsInPool(uri) && !WillBeChunked(request)
            ? _invoker.SendAsync(request, cancellationToken)
            : SendAndRestoreAsync(request, uri, cancellationToken);
    }

    private bool IsInPool(Uri uri)
    {
        // With TLS the pools differ for a reason: each host is a server name of its own.
        if (uri.Scheme is not ("http" or "ws"))
        {
            return true;
        }

        var authority = Volatile.Read(ref _authority);
        if (authority is null)
        {
            var first = new PoolAuthority(UriHost.Of(uri), uri.Port, $"http://{uri.Host}:{uri.Port}");
            authority = Interlocked.CompareExchange(ref _authority, first, null) ?? first;
        }

        return uri.Port == authority.Port && UriHost.Of(uri) == authority.Host;
    }

    // The handler marks such messages by a header of theirs, which would still be there when the caller looks.
    private static bool WillBeChunked(HttpRequestMessage request)
        => request.Content is { Headers.ContentLength: null } && !request.Headers.NonValidated.Contains("Transfer-Encoding");

    private async Task<HttpResponseMessage> SendAndRestoreAsync(HttpRequestMessage request, Uri uri, CancellationToken cancellationToken)
    {
        var host = request.Headers.Host;
        var willBeChunked = WillBeChunked(request);
        if (!IsInPool(uri))
        {
            request.Headers.Host = host ?? (uri.IsDefaultPort ? uri.IdnHost : $"{uri.IdnHost}:{uri.Port}");

            // The target goes over the wire byte by byte as the caller's would have.
            request.RequestUri = new Uri(_authority!.Prefix + uri.PathAndQuery, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        }

        try
        {
            return await _invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!ReferenceEquals(request.RequestUri, uri))
            {
                request.RequestUri = uri;
                request.Headers.Host = host;
            }

            if (willBeChunked)
            {
                request.Headers.TransferEncodingChunked = null;
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = await _dialer.DialAsync(cancellationToken).ConfigureAwait(false);
        return _settings.MaxRequestsPerConnection > 0
            ? new LimitedConnection(socket, _dialer.Stats, _dialer.Open, _settings.MaxRequestsPerConnection)
            : new UpstreamConnection(socket, _dialer.Stats, _dialer.Open);
    }

    /// <summary>The authority by which the handler's pool is found.</summary>
    private sealed record PoolAuthority(string Host, int Port, string Prefix);
}
