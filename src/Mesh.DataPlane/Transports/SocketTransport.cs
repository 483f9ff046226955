using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// One endpoint's own handler and pool: whatever host a request names, connections go to this address, and the Host header, authority and
/// server name are the caller's. <see cref="SocketsHttpHandler"/> keeps a pool for each host and port of a URI, though; so the first authority
/// it sees stands for all in clear text, and only requests that name another one pay for another URI.
/// </summary>
internal sealed class SocketTransport : IEndpointTransport
{
    private readonly HttpMessageInvoker _invoker;
    private readonly EndPoint _address;
    private readonly TimeSpan _connectTimeout;
    private readonly TimeProvider _time;
    private PoolAuthority? _authority;

    public SocketTransport(EndPoint address, TransportSettings settings, TimeProvider time)
    {
        _address = address;
        _connectTimeout = settings.ConnectTimeout;
        _time = time;
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
        });
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        return IsInPool(uri) && !WillBeChunked(request)
            ? _invoker.SendAsync(request, cancellationToken)
            : SendAndRestoreAsync(request, uri, cancellationToken);
    }

    public void Dispose() => _invoker.Dispose();

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
            var first = new PoolAuthority(uri.IdnHost, uri.Port, $"http://{uri.Host}:{uri.Port}");
            authority = Interlocked.CompareExchange(ref _authority, first, null) ?? first;
        }

        return uri.Port == authority.Port && uri.IdnHost == authority.Host;
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
        var socket = _address is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timeout = new CancellationTokenSource(_connectTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await socket.ConnectAsync(_address, linked.Token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The authority by which the handler's pool is found.</summary>
    private sealed record PoolAuthority(string Host, int Port, string Prefix);
}
