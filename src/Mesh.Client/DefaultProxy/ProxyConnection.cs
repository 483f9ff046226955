using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Upstream;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.DefaultProxy;

/// <summary>One connection of a caller: who it is, whom it wants, and its requests, one after the other.</summary>
internal sealed partial class ProxyConnection(Socket socket, ProxyServices services) : IDisposable
{
    // As much is read of what a stranger sends, and of what comes behind a refusal.
    private const int MaxDrained = 64 * 1024;

    private readonly NetworkStream _stream = new(socket, ownsSocket: false);
    private readonly CancellationTokenSource _left = CancellationTokenSource.CreateLinkedTokenSource(services.Cut);
    private ConnectionReader _reader = null!;
    private ProxyTarget? _through;

    /// <summary>Whether the caller has proved to be this process.</summary>
    public bool IsTrusted { get; private set; }

    /// <summary>Serves the connection to its end.</summary>
    public async Task RunAsync(Action trusted)
    {
        _reader = new ConnectionReader(_stream);
        try
        {
            using (var patience = new CancellationTokenSource(services.HandshakeTimeout, services.Time))
            using (var waiting = CancellationTokenSource.CreateLinkedTokenSource(services.Stopping, patience.Token))
            {
                if (!await _reader.FillAsync(waiting.Token).ConfigureAwait(false))
                {
                    return;
                }

                if (_reader.Buffered[0] == Socks5Handshake.Version)
                {
                    _through = await Socks5Handshake.AcceptAsync(_reader, _stream, services.Token, waiting.Token).ConfigureAwait(false);
                    if (_through is null)
                    {
                        return;
                    }

                    Trust(trusted);
                }
                else
                {
                    if (!await AuthenticateAsync(waiting.Token).ConfigureAwait(false))
                    {
                        return;
                    }

                    Trust(trusted);
                }
            }

            if (_through is { } target && !await IsHttp1Async().ConfigureAwait(false))
            {
                await TunnelAsync(target, writer: null).ConfigureAwait(false);
                return;
            }

            while (await ServeAsync().ConfigureAwait(false))
            {
            }
        }
        catch (BadRequestException e)
        {
            await RefuseAsync(e).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // What has begun must not look as if it had ended.
            Reset();
        }
        catch
        {
            Reset();
            throw;
        }
    }

    public void Dispose()
    {
        _left.Cancel();
        _stream.Dispose();
        socket.Dispose();
        _left.Dispose();
    }

    private void Trust(Action trusted)
    {
        IsTrusted = true;
        trusted();
    }

    // A proxy of HTTP says no to the first request, upon which the caller shows what it has. A connection that has shown it once is known.
    private async ValueTask<bool> AuthenticateAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (head, length) = await ReadHeadAsync(cancellationToken).ConfigureAwait(false);
            if (head is null)
            {
                return false;
            }

            if (services.Token.IsShownBy(head["Proxy-Authorization"]))
            {
                return true;
            }

            _reader.Advance(length);
            var body = new RequestBodyStream(_reader, head, static () => { });
            var goesOn = IsKeptAlive(head) && await UnwantedBody.TryReadAsync(body, head, MaxDrained, cancellationToken).ConfigureAwait(false);
            await new ResponseWriter(_stream).WriteAsync(
                HttpStatusCode.ProxyAuthenticationRequired,
                head.Method == "HEAD" ? "" : "This proxy is for the process that has opened it, and for no other.",
                close: !goesOn,
                cancellationToken,
                ("Proxy-Authenticate", "Basic realm=\"mesh\"")).ConfigureAwait(false);
            if (!goesOn)
            {
                return false;
            }
        }
    }

    private async ValueTask<(RequestHead? Head, int Length)> ReadHeadAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = RequestHeadParser.Measure(_reader.Buffered)) == 0)
        {
            if (!await _reader.FillAsync(cancellationToken).ConfigureAwait(false))
            {
                return default;
            }
        }

        return (RequestHeadParser.Parse(_reader.Buffered[..length]), length);
    }

    // HTTP/2 begins with a request line of its own; TLS with a byte that begins no request.
    private async ValueTask<bool> IsHttp1Async()
    {
        while (!_reader.Buffered.StartsWith("PRI "u8))
        {
            if (_reader.Buffered.Length > 0 && !"PRI "u8.StartsWith(_reader.Buffered))
            {
                return char.IsAsciiLetter((char)_reader.Buffered[0]);
            }

            if (!await _reader.FillAsync(services.Stopping).ConfigureAwait(false))
            {
                throw new EndOfStreamException();
            }
        }

        return false;
    }

    private async ValueTask<bool> ServeAsync()
    {
        var (head, length) = await ReadHeadAsync(services.Stopping).ConfigureAwait(false);
        if (head is null)
        {
            return false;
        }

        _reader.Advance(length);
        var writer = new ResponseWriter(_stream);
        if (head.Method == "CONNECT")
        {
            await ConnectAsync(head, writer).ConfigureAwait(false);
            return false;
        }

        var body = new RequestBodyStream(_reader, head, ReadAhead);
        using var request = ForwardedRequest.Create(head, _through, ContentOf(head, body, writer));
        if (body.IsComplete)
        {
            ReadAhead();
        }

        using var response = await SendAsync(request, body).ConfigureAwait(false);
        if (ForwardedRequest.IsUpgrade(head) && await TrySwitchAsync(head, response, writer).ConfigureAwait(false))
        {
            return false;
        }

        // A caller may read nothing before it has sent everything: what nobody wants is read while the response is written.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(services.Cut);
        var drained = UnwantedBody.ReadAsync(body, head, enough.Token);
        var close = await writer.WriteAsync(response, head, !IsKeptAlive(head) || services.Stopping.IsCancellationRequested, _left.Token).ConfigureAwait(false);
        if (await UnwantedBody.IsReadAsync(drained, enough, services).ConfigureAwait(false) && !close)
        {
            return true;
        }

        if (!body.IsTaken)
        {
            await FinishAsync().ConfigureAwait(false);
        }

        return false;
    }

    private HttpContent? ContentOf(RequestHead head, RequestBodyStream body, ResponseWriter writer)
        => head switch
        {
            { HasBody: true } => new ForwardedContent(
                body,
                head.IsChunked ? null : head.ContentLength,
                head.IsHttp11 && head.Lists("Expect", "100-continue") ? () => writer.WriteContinueAsync(_left.Token) : null),
            { ContentLength: 0 } => new ByteArrayContent([]),
            _ => null,
        };

    private async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, RequestBodyStream body)
    {
        try
        {
            return await services.Invoker.SendAsync(request, _left.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_left.IsCancellationRequested)
        {
            throw new OperationCanceledException(_left.Token);
        }
        catch (Exception) when (body.Failure is { } failure)
        {
            throw failure is BadRequestException ? failure : new IOException(failure.Message, failure);
        }
        catch (HttpRequestException e)
        {
            // A host that is not the mesh's, and whose failure is no reply yet.
            Log.NotReached(services.Logger, request.RequestUri!.Authority, e.Message);
            return LocalReplies.Create(Failures.ReplyTo(e, request) ?? LocalReply.ConnectionTermination, request);
        }
    }

    private async ValueTask<bool> TrySwitchAsync(RequestHead head, HttpResponseMessage response, ResponseWriter writer)
    {
        var key = head["Sec-WebSocket-Key"];
        (string, string)[] accept = [];
        if (response.StatusCode == HttpStatusCode.OK && response.Version.Major == 2 && key is not null)
        {
            // Over HTTP/2 nobody proves that it has read the key (RFC 8441): it is done here.
            accept = [("Sec-WebSocket-Accept", WebSocketKey.Accept(key))];
        }
        else if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            return false;
        }

        await writer.WriteSwitchAsync(response, head["Upgrade"]!, accept, _left.Token).ConfigureAwait(false);
        await using var upstream = await response.Content.ReadAsStreamAsync(_left.Token).ConfigureAwait(false);
        await Tunnel.RunAsync(_reader, socket, _stream, upstream, services.Stopping).ConfigureAwait(false);
        return true;
    }

    private async ValueTask ConnectAsync(RequestHead head, ResponseWriter writer)
    {
        if (_through is not null || head.HasBody || ProxyTarget.Parse(head.Target) is not { } target)
        {
            throw new BadRequestException(HttpStatusCode.BadRequest, "CONNECT names no host and port");
        }

        await TunnelAsync(target, writer).ConfigureAwait(false);
    }

    private async ValueTask TunnelAsync(ProxyTarget target, ResponseWriter? writer)
    {
        ReadAhead();
        Stream upstream;
        try
        {
            upstream = await services.Connect(target.Host, target.Port, _left.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException)
        {
            Log.NotReached(services.Logger, target.Authority, e.Message);
            if (writer is null)
            {
                Reset();
                return;
            }

            var status = e switch
            {
                SocketException { SocketErrorCode: SocketError.TimedOut } => HttpStatusCode.GatewayTimeout,
                SocketException { SocketErrorCode: SocketError.AccessDenied } => HttpStatusCode.Forbidden,
                ArgumentException => HttpStatusCode.BadRequest,
                _ => HttpStatusCode.BadGateway,
            };
            await writer.WriteAsync(status, e.Message, close: true, services.Cut).ConfigureAwait(false);
            await FinishAsync().ConfigureAwait(false);
            return;
        }

        await using (upstream)
        {
            if (writer is not null)
            {
                await writer.WriteConnectedAsync(_left.Token).ConfigureAwait(false);
            }

            await Tunnel.RunAsync(_reader, socket, _stream, upstream, services.Stopping).ConfigureAwait(false);
        }
    }

    // While the answer is awaited, it is seen when the caller leaves.
    private void ReadAhead() => _reader.ReadAhead(Leave, services.Cut);

    private void Leave()
    {
        try
        {
            _left.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // So has this connection.
        }
    }

    private static bool IsKeptAlive(RequestHead head)
        => head.IsHttp11 ? !head.Lists("Connection", "close") : head.Lists("Connection", "keep-alive");

    private async ValueTask RefuseAsync(BadRequestException e)
    {
        try
        {
            if (!IsTrusted)
            {
                // Who has shown nothing is told nothing.
                return;
            }

            Log.Refused(services.Logger, e.Message);
            await new ResponseWriter(_stream).WriteAsync(e.Status, e.Message, close: true, services.Cut).ConfigureAwait(false);
            await FinishAsync().ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone.
        }
    }

    // To close a socket that has unread bytes is to reset it, and the answer may be lost: they are read for a while.
    private async ValueTask FinishAsync()
    {
        socket.Shutdown(SocketShutdown.Send);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1), services.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(services.Stopping, patience.Token);
        var buffer = new byte[4096];
        try
        {
            for (var read = 0; read <= MaxDrained;)
            {
                var count = await _reader.ReadAsync(buffer, waiting.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    return;
                }

                read += count;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Long enough.
        }
    }

    private void Reset()
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A request to the mesh's proxy of this process was refused: {Reason}.")]
        public static partial void Refused(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Warning, "{Host} was not reached by the mesh's proxy of this process: {Reason}")]
        public static partial void NotReached(ILogger logger, string host, string reason);
    }
}
