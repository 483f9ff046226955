using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// One endpoint's own handler and pool: whatever host a request names, connections go to this address, so that URIs need no rewriting and the
/// Host header, authority and server name are the caller's.
/// </summary>
internal sealed class SocketTransport : IEndpointTransport
{
    private readonly HttpMessageInvoker _invoker;
    private readonly EndPoint _address;
    private readonly TimeSpan _connectTimeout;
    private readonly TimeProvider _time;

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

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _invoker.SendAsync(request, cancellationToken);

    public void Dispose() => _invoker.Dispose();

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
}
