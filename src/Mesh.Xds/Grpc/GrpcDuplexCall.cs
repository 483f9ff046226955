using System.IO.Pipelines;
using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>One open call: a stream of messages each way. One writer and one reader at a time; disposing it cancels what is still open.</summary>
internal sealed class GrpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly GrpcMethod<TRequest, TResponse> _method;
    private readonly GrpcChannelOptions _options;
    private readonly GrpcRequestContent _content;
    private readonly CancellationTokenSource _call;
    private readonly CancellationTokenSource? _deadline;
    private readonly Task<HttpResponseMessage> _response;
    private GrpcMessageWriter? _writer;
    private GrpcMessageReader? _reader;
    private PipeReader? _body;
    private RpcStatus? _status;

    internal GrpcDuplexCall(
        HttpMessageInvoker invoker, HttpRequestMessage request, GrpcRequestContent content, GrpcMethod<TRequest, TResponse> method, GrpcCallOptions call, GrpcChannelOptions options)
    {
        _method = method;
        _options = options;
        _content = content;
        _deadline = call.Timeout is { } timeout ? new CancellationTokenSource(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, options.TimeProvider) : null;
        _call = CancellationTokenSource.CreateLinkedTokenSource(_deadline?.Token ?? default);
        _response = invoker.SendAsync(request, _call.Token);
    }

    /// <summary>The trailers, once <see cref="ReadAsync"/> has returned <see langword="null"/> or thrown.</summary>
    public GrpcMetadata? Trailers { get; private set; }

    /// <summary>Completes when the HTTP/2 stream exists, before the server has said anything.</summary>
    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAny(_content.Opened, _response).WaitAsync(cancellationToken);
            if (!_content.Opened.IsCompleted)
            {
                await _response;
            }
        }
        catch (Exception e) when (Explain(e, cancellationToken) is { } error)
        {
            throw error;
        }
    }

    /// <summary>The response's headers; servers may hold them back until the first message.</summary>
    public async Task<GrpcMetadata> ReadHeadersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Collect((await _response.WaitAsync(cancellationToken)).Headers);
        }
        catch (Exception e) when (Explain(e, cancellationToken) is { } error)
        {
            throw error;
        }
    }

    /// <summary>Writes one message; completes when the server's flow control has taken it.</summary>
    /// <exception cref="RpcException">The call has ended; reading tells the server's status.</exception>
    public async ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        try
        {
            _writer ??= new GrpcMessageWriter(
                PipeWriter.Create(await _content.Opened.WaitAsync(cancellationToken), new StreamPipeWriterOptions(leaveOpen: true)), _options.SendEncoding);
            await _writer.WriteAsync(message, cancellationToken);
        }
        catch (Exception e) when (Explain(e, cancellationToken) is { } error)
        {
            throw error;
        }
    }

    /// <summary>Ends the client's side; the server may still answer.</summary>
    public void CompleteWriting() => _content.Complete();

    /// <summary>Reads the next message, or <see langword="null"/> when the server ended the call with OK.</summary>
    /// <exception cref="RpcException">The call ended with another status.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; the call is of no further use.</exception>
    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_status is null)
        {
            try
            {
                var message = await ReadMessageAsync(cancellationToken);
                if (message is not null)
                {
                    return message;
                }
            }
            catch (Exception e) when (Explain(e, cancellationToken) is { } error)
            {
                // What the server said outranks what broke while it said it.
                _status = e is RpcException { StatusCode: StatusCode.ResourceExhausted } ? null : TrailingStatus();
                _status = _status is null or { Code: StatusCode.Ok } ? new(error is RpcException rpc ? rpc.StatusCode : StatusCode.Cancelled, DetailOf(error)) : _status;
                if (error is OperationCanceledException)
                {
                    throw error;
                }
            }
        }

        return _status!.Code == StatusCode.Ok ? null : throw _status.ToException();
    }

    public async ValueTask DisposeAsync()
    {
        _content.Complete();
        await _call.CancelAsync();
        try
        {
            (await _response).Dispose();
        }
        catch (Exception)
        {
            // Cancelled just now, or failed before: whoever read or wrote has been told.
        }

        _body?.Complete();
        _call.Dispose();
        _deadline?.Dispose();
    }

    private async ValueTask<TResponse?> ReadMessageAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static state => End((CancellationTokenSource)state!), _call);
        _reader ??= await StartReadingAsync(cancellationToken);
        if (_status is not null)
        {
            return null;
        }

        var message = await _reader!.ReadAsync(_method.ResponseParser, _call.Token);
        if (message is null)
        {
            _status = TrailingStatus() ?? new(StatusCode.Unknown, "the server ended the stream without a grpc-status");
        }

        return message;
    }

    private async ValueTask<GrpcMessageReader?> StartReadingAsync(CancellationToken cancellationToken)
    {
        var response = await _response.WaitAsync(cancellationToken);

        // After its headers only disposing a response resets the HTTP/2 stream; cancelling a read of its body does not.
        _call.Token.UnsafeRegister(static state => ((HttpResponseMessage)state!).Dispose(), response);
        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        var status = GrpcFailures.ReadStatus(response.Headers);
        if (status is not null || response.StatusCode != System.Net.HttpStatusCode.OK || !GrpcHeaderNames.IsGrpcContentType(contentType))
        {
            // Trailers-only, or no gRPC at all.
            Trailers = Collect(response.Headers);
            _status = status ?? GrpcFailures.FromHttp(response.StatusCode, contentType);
            return null;
        }

        var encoding = GrpcEncodings.Parse(response.Headers.NonValidated.TryGetValues(GrpcHeaderNames.Encoding, out var encodings) ? encodings.ToString() : null);
        _body = PipeReader.Create(await response.Content.ReadAsStreamAsync(_call.Token), new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        return new GrpcMessageReader(_body, encoding, _options.MaxReceiveMessageSize);
    }

    private RpcStatus? TrailingStatus()
    {
        if (!_response.IsCompletedSuccessfully)
        {
            return null;
        }

        var trailers = _response.Result.TrailingHeaders;
        Trailers ??= Collect(trailers);
        return GrpcFailures.ReadStatus(trailers);
    }

    private static GrpcMetadata Collect(System.Net.Http.Headers.HttpHeaders headers)
    {
        var metadata = new GrpcMetadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                metadata.AddReceived(name, value);
            }
        }

        return metadata;
    }

    private static string DetailOf(Exception error) => error is RpcException rpc ? rpc.Detail : error.Message;

    /// <summary>The exception that the caller shall see.</summary>
    private Exception? Explain(Exception exception, CancellationToken callers)
    {
        if (_deadline is { IsCancellationRequested: true })
        {
            return new RpcException(StatusCode.DeadlineExceeded, $"{_method.FullName} did not end in time", exception);
        }

        if (exception is OperationCanceledException && callers.IsCancellationRequested)
        {
            return exception;
        }

        return _call.IsCancellationRequested
            ? new RpcException(StatusCode.Cancelled, $"{_method.FullName} was cancelled", exception)
            : GrpcFailures.FromTransport(exception);
    }

    // Whoever waits may give up while the call is being disposed of.
    private static void End(CancellationTokenSource call)
    {
        try
        {
            call.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }
}
