using System.Net.Sockets;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Past the headers a failure can be no reply any more: it comes out of the body's stream as .NET throws it, and carries Envoy's flag and details in
/// its <see cref="Exception.Data"/>.
/// </summary>
internal static class LateFailures
{
    /// <summary>Marks what a read of the body threw; always <see langword="false"/>, to stand in an exception filter.</summary>
    public static bool Mark(Exception exception)
    {
        if (exception is HttpIOException http)
        {
            MarkReset(exception, http);
        }
        else if (exception is IOException && EndOf(exception) == BodyEnd.Terminated)
        {
            Mark(exception, BodyEnd.Terminated);
        }

        return false;
    }

    /// <summary>The same where another stream was written to, whose failures look like a connection's.</summary>
    public static bool MarkCopy(Exception exception)
    {
        if (exception is HttpIOException http)
        {
            MarkReset(exception, http);
        }

        return false;
    }

    /// <summary>What a failed read of the body says of its end.</summary>
    public static BodyEnd EndOf(Exception exception)
        => exception switch
        {
            // With NO_ERROR the connection was closed by GOAWAY, not the stream.
            HttpProtocolException { ErrorCode: 0 } => BodyEnd.Terminated,
            HttpProtocolException => BodyEnd.Reset,
            HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } => BodyEnd.ProtocolError,
            HttpIOException or IOException { InnerException: SocketException } => BodyEnd.Terminated,

            // What has ended a connection of HTTP/2 is passed on to its streams in another one.
            IOException { InnerException: IOException inner } => EndOf(inner),
            HttpRequestException { InnerException: { } inner } => EndOf(inner),
            _ => BodyEnd.Open,
        };

    /// <summary>Envoy's flag and details of such an end; <see langword="null"/> where there is nothing to tell.</summary>
    public static (string Flag, string Details)? Words(BodyEnd end)
        => end switch
        {
            BodyEnd.Reset => ("UR", LocalReply.LateReset + "{remote_reset}"),
            BodyEnd.ProtocolError => ("UPE", LocalReply.LateReset + "{protocol_error}"),
            BodyEnd.Terminated => ("UC", LocalReply.LateReset + "{connection_termination}"),
            _ => null,
        };

    /// <summary>What a clock has ended: its own flag and details.</summary>
    public static HttpIOException OfClock(LocalReply reply, string clock, Exception? inner)
    {
        var exception = new HttpIOException(HttpRequestError.ResponseEnded, $"The upstream's response was not complete within {clock} ({reply.Flags}).", inner);
        exception.Data[MeshRequest.ResponseFlags.Key] = reply.Flags;
        exception.Data[MeshRequest.ResponseCodeDetails.Key] = reply.Details;
        return exception;
    }

    private static void MarkReset(Exception exception, HttpIOException http)
    {
        // Who has been told why already is a clock's.
        if (exception.Data.Contains(MeshRequest.ResponseFlags.Key))
        {
            return;
        }

        Mark(exception, EndOf(http));
    }

    private static void Mark(Exception exception, BodyEnd end)
    {
        var (flag, details) = Words(end)!.Value;
        exception.Data[MeshRequest.ResponseFlags.Key] = flag;
        exception.Data[MeshRequest.ResponseCodeDetails.Key] = details;
    }
}
