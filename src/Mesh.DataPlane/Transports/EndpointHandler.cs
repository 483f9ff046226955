using System.Net;
using System.Text;

namespace Mesh.DataPlane.Transports;

/// <summary>The framework's handler for one endpoint: it keeps connections, and knows nothing of where they go and what protects them.</summary>
internal static class EndpointHandler
{
    public static HttpMessageInvoker Create(TransportSettings settings, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect)
    {
        // The handler's own limit of connections stays out of the way: the cluster's circuit breakers decide.
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = connect,
            ConnectTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,

            // The client's door has made the request's span and told of it; a second one would show each hop twice.
            ActivityHeadersPropagator = null,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = settings.IdleTimeout,
            PooledConnectionLifetime = settings.MaxConnectionDuration,

            // Envoy passes the bytes on; the handler alone would fail the request, which would look like the host's failure.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
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

        return new HttpMessageInvoker(handler);
    }
}
