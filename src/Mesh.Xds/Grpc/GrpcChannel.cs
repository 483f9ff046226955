using System.Net;
using System.Net.Sockets;
using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>
/// A gRPC client on HTTP/2. These are the mesh's own calls: the handler is made here and never passes through an HttpClientFactory, so
/// that they cannot be routed by the mesh that they configure.
/// </summary>
internal sealed class GrpcChannel : IDisposable
{
    private const uint EnhanceYourCalm = 0xb;
    private readonly GrpcChannelOptions _options;
    private readonly HttpMessageInvoker _invoker;
    private readonly Uri _baseAddress;
    private readonly bool _mayCarryToken;

    /// <exception cref="FormatException">The target's scheme contradicts the credentials.</exception>
    public GrpcChannel(GrpcTarget target, GrpcChannelOptions options)
    {
        _options = options;
        if (target.Tls == false && options.Tls is not null)
        {
            throw new FormatException($"the target '{target.Text}' says plain text, but TLS credentials are configured; write https:// or leave the scheme out");
        }

        var tls = target.Tls ?? options.Tls is not null;
        _mayCarryToken = tls || target.IsOnThisMachine;
        _baseAddress = new Uri($"{(tls ? "https" : "http")}://{target.Authority}");
        _invoker = new HttpMessageInvoker(CreateHandler(target, tls));
    }

    /// <summary>A server has closed a connection because it was pinged too often (GOAWAY with ENHANCE_YOUR_CALM).</summary>
    public event Action? TooManyPings;

    /// <summary>Opens a call with a stream of messages each way; completes when the HTTP/2 stream exists.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: no connection.</exception>
    public async Task<GrpcDuplexCall<TRequest, TResponse>> OpenDuplexAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, GrpcCallOptions call, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        OwnConnections.Mark();
        var content = new GrpcRequestContent();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_baseAddress, method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("user-agent", _options.UserAgent);
        request.Headers.TryAddWithoutValidation(GrpcHeaderNames.AcceptEncoding, GrpcHeaderNames.SupportedEncodings);
        if (_options.SendEncoding == GrpcEncoding.Gzip)
        {
            request.Headers.TryAddWithoutValidation(GrpcHeaderNames.Encoding, "gzip");
        }

        if (call.Timeout is { } timeout)
        {
            request.Headers.TryAddWithoutValidation(GrpcHeaderNames.Timeout, GrpcTimeout.Format(timeout));
        }

        if (_options.BearerToken?.Invoke() is { } token && call.Metadata?.Get("authorization") is null)
        {
            if (!_mayCarryToken)
            {
                throw new RpcException(StatusCode.Unauthenticated, $"the token is not sent to {_baseAddress.Authority} in clear text; write https:// for the target (Istio's port for it is 15012)");
            }

            request.Headers.TryAddWithoutValidation("authorization", "Bearer " + token);
        }

        foreach (var (name, value) in call.Metadata ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var opened = new GrpcDuplexCall<TRequest, TResponse>(_invoker, request, content, method, call, _options);
        try
        {
            await opened.OpenAsync(cancellationToken);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>One request, one response.</summary>
    /// <exception cref="RpcException">The call ended with a status other than OK.</exception>
    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions call, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        await using var open = await OpenDuplexAsync(method, call, cancellationToken);
        try
        {
            await open.WriteAsync(request, cancellationToken);
        }
        catch (RpcException)
        {
            // A server may answer without reading the request; its status is read below.
        }

        open.CompleteWriting();
        var response = await open.ReadAsync(cancellationToken)
            ?? throw new RpcException(StatusCode.Internal, $"{method.FullName} ended with OK but without a response message");
        return await open.ReadAsync(cancellationToken) is null
            ? response
            : throw new RpcException(StatusCode.Internal, $"{method.FullName} answered with more than one message");
    }

    public void Dispose() => _invoker.Dispose();

    private SocketsHttpHandler CreateHandler(GrpcTarget target, bool tls)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = _options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingPolicy = _options.KeepAliveWithoutCalls ? HttpKeepAlivePingPolicy.Always : HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingTimeout = _options.KeepAliveTimeout,
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new GoAwayObservingStream(context.PlaintextStream, OnGoAway)),
            UseCookies = false,
            UseProxy = false,
        };
        if (_options.KeepAliveInterval is { } interval)
        {
            handler.KeepAlivePingDelay = interval;
        }

        if (tls)
        {
            handler.SslOptions = (_options.Tls ?? new GrpcTlsCredentials()).ToSslOptions(_options.TimeProvider);
        }

        if (target.UnixPath is { } path)
        {
            handler.ConnectCallback = (_, cancellationToken) => ConnectUnixAsync(path, cancellationToken);
        }

        return handler;
    }

    private static async ValueTask<Stream> ConnectUnixAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void OnGoAway(uint errorCode)
    {
        if (errorCode == EnhanceYourCalm)
        {
            TooManyPings?.Invoke();
        }
    }
}
