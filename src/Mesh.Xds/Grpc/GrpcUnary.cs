using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>One request and one response as messages of HTTP, for whoever sends them by other ways than a <see cref="GrpcChannel"/>.</summary>
internal static class GrpcUnary
{
    /// <summary>The request of a call: all of it in memory, so that it can be sent again.</summary>
    /// <param name="uri">Scheme, authority and the method's full name.</param>
    /// <param name="message">The message.</param>
    /// <param name="timeout">What the server is told of the deadline; zero for nothing.</param>
    /// <param name="metadata">Headers beside those of gRPC.</param>
    public static HttpRequestMessage CreateRequest(Uri uri, IMessage message, TimeSpan timeout, GrpcMetadata? metadata)
    {
        var length = message.CalculateSize();
        var body = new byte[GrpcMessageReader.HeaderSize + length];
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(1), (uint)length);
        message.WriteTo(body.AsSpan(GrpcMessageReader.HeaderSize));
        var request = new HttpRequestMessage(HttpMethod.Post, uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(GrpcHeaderNames.ContentType) } },
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation(GrpcHeaderNames.AcceptEncoding, GrpcHeaderNames.SupportedEncodings);
        if (timeout > TimeSpan.Zero)
        {
            request.Headers.TryAddWithoutValidation(GrpcHeaderNames.Timeout, GrpcTimeout.Format(timeout));
        }

        foreach (var (name, value) in metadata ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>Reads the response of a call.</summary>
    /// <exception cref="RpcException">The call ended with another status than OK, or its response is none.</exception>
    public static async Task<TResponse> ReadAsync<TRequest, TResponse>(
        HttpResponseMessage response, GrpcMethod<TRequest, TResponse> method, int maxMessageSize, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        // 1. Trailers-only, or no gRPC at all.
        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        if (GrpcFailures.ReadStatus(response.Headers) is { } early)
        {
            throw early.Code == StatusCode.Ok ? Malformed(method.FullName, "no message") : early.ToException();
        }

        if (response.StatusCode != HttpStatusCode.OK || !GrpcHeaderNames.IsGrpcContentType(contentType))
        {
            throw GrpcFailures.FromHttp(response.StatusCode, contentType).ToException();
        }

        // 2. The message, and that nothing follows it.
        var encoding = GrpcEncodings.Parse(response.Headers.NonValidated.TryGetValues(GrpcHeaderNames.Encoding, out var encodings) ? encodings.ToString() : null);
        var body = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        try
        {
            var reader = new GrpcMessageReader(body, encoding, maxMessageSize);
            var message = await reader.ReadAsync(method.ResponseParser, cancellationToken).ConfigureAwait(false);
            var second = message is null ? null : await reader.ReadAsync(method.ResponseParser, cancellationToken).ConfigureAwait(false);

            // 3. The status, which comes last.
            var status = GrpcFailures.ReadStatus(response.TrailingHeaders) ?? new RpcStatus(StatusCode.Unknown, "the server ended the stream without a grpc-status");
            return status.Code != StatusCode.Ok ? throw status.ToException()
                : second is not null ? throw Malformed(method.FullName, "more than one message")
                : message ?? throw Malformed(method.FullName, "no message");
        }
        finally
        {
            await body.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static RpcException Malformed(string method, string what) => new(StatusCode.Internal, $"{method} ended with OK and {what}");
}
