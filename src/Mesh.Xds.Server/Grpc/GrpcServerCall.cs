using Google.Protobuf;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Mesh.Xds.Server.Grpc;

/// <summary>The server's end of one gRPC call: messages in and out of Kestrel's pipes.</summary>
internal sealed class GrpcServerCall<TRequest, TResponse>(HttpContext context, MessageParser<TRequest> parser, GrpcEncoding encoding, CancellationToken cancellationToken)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly GrpcMessageReader _reader = new(context.Request.BodyReader, encoding);
    private readonly GrpcMessageWriter _writer = new(context.Response.BodyWriter, GrpcEncoding.Identity);

    public HttpContext HttpContext { get; } = context;

    /// <summary>Fires when the client is gone, its deadline has passed, or the server stops.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Reads the next message, or <see langword="null"/> when the client has sent its last.</summary>
    /// <exception cref="RpcException">The message is malformed or too large, or the client is gone.</exception>
    public async ValueTask<TRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _reader.ReadAsync(parser, cancellationToken);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            throw new RpcException(StatusCode.Cancelled, "the client is gone", exception);
        }
    }

    /// <summary>Writes one message; completes when the client's flow control has taken it.</summary>
    /// <exception cref="RpcException">The client is gone.</exception>
    public async ValueTask WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        try
        {
            await _writer.WriteAsync(message, cancellationToken);
        }
        catch (Exception exception) when (IsGone(exception))
        {
            throw new RpcException(StatusCode.Cancelled, "the client is gone", exception);
        }
    }

    private bool IsGone(Exception exception) =>
        exception is IOException or ConnectionAbortedException || (exception is OperationCanceledException && HttpContext.RequestAborted.IsCancellationRequested);
}
