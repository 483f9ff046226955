using System.Net.Sockets;

namespace Mesh.DataPlane.Upstream;

/// <summary>What Envoy would call the ways in which <see cref="SocketsHttpHandler"/> fails.</summary>
internal static class Failures
{
    public static LocalReply ReplyTo(HttpRequestException exception)
        => exception.HttpRequestError switch
        {
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
                => LocalReply.ConnectionFailure(Reason(exception)),
            HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.VersionNegotiationError
                => LocalReply.ProtocolError,
            HttpRequestError.HttpProtocolError when exception.InnerException is HttpProtocolException { ErrorCode: not 0 } => LocalReply.RemoteReset,
            _ => LocalReply.ConnectionTermination,
        };

    // The message of the framework names the host that the caller addressed, which is not where the connection went.
    private static string Reason(HttpRequestException exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is SocketException socket)
            {
                return socket.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "connection refused",
                    SocketError.TimedOut => "connection timeout",
                    _ => socket.SocketErrorCode.ToString(),
                };
            }
        }

        return exception.HttpRequestError == HttpRequestError.SecureConnectionError ? "TLS handshake failure" : "connection failure";
    }
}
