using System.Net.Sockets;

namespace Mesh.DataPlane.Upstream;

/// <summary>What Envoy would call the ways in which <see cref="SocketsHttpHandler"/> fails.</summary>
internal static class Failures
{
    // RFC 9113, section 7.
    private const long NoError = 0;
    private const long RefusedStream = 7;

    /// <summary>The reply to a failure of the way; <see langword="null"/> when the failure is the caller's own.</summary>
    public static LocalReply? ReplyTo(HttpRequestException exception, HttpRequestMessage request)
        => exception.HttpRequestError switch
        {
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
                when SocketErrorOf(exception) == SocketError.TimedOut => LocalReply.ConnectionTimeout,
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError => LocalReply.ConnectionFailure(Reason(exception)),
            HttpRequestError.SecureConnectionError => TlsFailures.ReplyTo(exception),
            HttpRequestError.ConfigurationLimitExceeded => LocalReply.ResponseHeadersTooLarge,
            HttpRequestError.InvalidResponse or HttpRequestError.VersionNegotiationError => LocalReply.ProtocolError,
            HttpRequestError.HttpProtocolError => Reset(exception),

            // Whoever opens a WebSocket over HTTP/2 falls back to HTTP/1.1 by this very exception.
            HttpRequestError.ExtendedConnectNotSupported => null,
            HttpRequestError.Unknown when request.Content is not null && !IsOfTheConnection(exception) => null,
            _ => LocalReply.ConnectionTermination,
        };

    private static LocalReply Reset(HttpRequestException exception)
        => (exception.InnerException as HttpProtocolException)?.ErrorCode switch
        {
            null or NoError => LocalReply.ConnectionTermination,
            RefusedStream => LocalReply.RemoteRefusedStream,
            _ => LocalReply.RemoteReset,
        };

    // A request body that throws an IOException comes out in the same wrapping as a connection that broke, but with neither socket nor protocol below.
    private static bool IsOfTheConnection(HttpRequestException exception)
    {
        for (var e = exception.InnerException; e is not null; e = e.InnerException)
        {
            if (e is SocketException or HttpIOException)
            {
                return true;
            }
        }

        return exception.InnerException is null;
    }

    // The message of the framework names the host that the caller addressed, which is not where the connection went.
    private static string Reason(HttpRequestException exception)
        => SocketErrorOf(exception) switch
        {
            SocketError.ConnectionRefused => "delayed connect error: Connection refused",
            SocketError.HostUnreachable => "immediate connect error: No route to host",
            SocketError.NetworkUnreachable => "immediate connect error: Network is unreachable",
            { } other => $"connect error: {other}",
            null => "connect error",
        };

    private static SocketError? SocketErrorOf(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is SocketException socket)
            {
                return socket.SocketErrorCode;
            }
        }

        return null;
    }
}
