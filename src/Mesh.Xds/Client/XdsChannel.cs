using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Client;

/// <summary>The client's dealings with one server: keeps one stream open while there is something to ask, writes requests in order, reconnects.</summary>
/// <remarks>The loop runs by itself; everything else happens on the client's serializer.</remarks>
internal sealed partial class XdsChannel
{
    /// <summary>Requests that may wait to be written before no further response is read (a server that does not read must not make the client grow).</summary>
    private const int MaxQueuedRequests = 1024;

    private static readonly TimeSpan LongestPauseBetweenReplicas = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortStream = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StatusAfterFailedWrite = TimeSpan.FromSeconds(5);
    private readonly XdsClient _client;
    private readonly XdsClientOptions _options;
    private readonly ExponentialBackoff _backoff;
    private readonly CancellationTokenSource _disposed = new();
    private readonly Queue<OutboundRequest> _outbound = [];
    private readonly Dictionary<string, string> _versions = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _demand = new(0, 1);
    private readonly SemaphoreSlim _written = new(0, 1);
    private readonly Task _loop;
    private AdsStream? _stream;
    private CancellationTokenSource? _streamEnd;
    private bool _writing;
    private bool _replacing;
    private volatile bool _wanted;
    private volatile int _queued;
    private volatile bool _delta;

    public XdsChannel(XdsClient client, XdsServer server, int priority, XdsClientOptions options)
    {
        _client = client;
        _options = options;
        _delta = options.Delta;
        Server = server;
        Priority = priority;
        _backoff = new ExponentialBackoff(options.Random, options.AreReplicas ? LongestPauseBetweenReplicas : null);
        _loop = Task.Run(RunAsync);
    }

    public XdsServer Server { get; }

    /// <summary>The place in the bootstrap's list: 0 is the primary.</summary>
    public int Priority { get; }

    public bool IsConnected => _stream is not null;

    /// <summary>Whether versions mean the same at every server.</summary>
    public bool AreReplicas => _options.AreReplicas;

    /// <summary>The incremental variant is spoken, or will be tried first.</summary>
    public bool IsDelta => _delta;

    /// <summary>What the server calls itself; <see langword="null"/> before its first response on this stream.</summary>
    public string? ControlPlane { get; set; }

    /// <summary>Why the server cannot be reached; cleared by its next response.</summary>
    public string? Failure { get; private set; }

    public bool Has(XdsServerFeatures feature) => (Server.Features & feature) != 0;

    /// <summary>Opens the stream, or lets it end, as there is something to ask or not.</summary>
    public void SetWanted(bool wanted)
    {
        if (wanted && !_wanted)
        {
            _wanted = true;
            Signal(_demand);
        }
        else if (!wanted && _wanted)
        {
            _wanted = false;
            Replace();
        }
    }

    /// <summary>Ends the stream without calling that a failure; another is opened at once if one is wanted.</summary>
    public void Replace()
    {
        _replacing = true;

        // Not Cancel(): it would run the end of the stream here, on the serializer, where what that enqueues is a follow-up nobody takes any more.
        _ = _streamEnd?.CancelAsync();
    }

    /// <summary>Lets the server know of changed subscriptions.</summary>
    public void QueueSubscription(ResourceTable table)
    {
        if (_stream is not null && !_outbound.Any(o => o.Table == table))
        {
            _outbound.Enqueue(new(table, null));
        }
    }

    /// <summary>Answers a response, after every subscription that came before it.</summary>
    public void QueueAck(AdsStream stream, ResourceTable table, AdsUpdate update, string? error)
    {
        if (error is null)
        {
            _versions[table.Type.TypeUrl] = update.Version;
        }

        if (_stream == stream)
        {
            _outbound.Enqueue(new(table, new AdsAck(update.Nonce, _versions.GetValueOrDefault(table.Type.TypeUrl, ""), error)));
            _queued = _outbound.Count;
        }
    }

    public void QueueHealthReport()
    {
        if (_stream is not null && !_outbound.Any(o => o.Table is null))
        {
            _outbound.Enqueue(new(null, null));
        }
    }

    /// <summary>Writes the next request, if none is being written.</summary>
    public void Pump()
    {
        while (_stream is { } stream && !_writing && _outbound.TryDequeue(out var next))
        {
            // An answer to a kind carries its changed subscriptions as well, so that a request for them alone would be one too many.
            if (next is { Table: { } table, Ack: null } && _outbound.Any(o => o.Table == table))
            {
                continue;
            }

            var request = next.Table is null ? _client.BuildHealthReport(stream) : stream.BuildRequest(next.Table, next.Ack);
            if (request is null)
            {
                continue;
            }

            ResourceEntry[] unanswered = [.. next.Table?.Unanswered ?? []];
            next.Table?.Prune();
            _writing = true;
            _ = WriteAsync(stream, request, unanswered, _streamEnd!);
        }
    }

    /// <summary>Called with each response: the server can be reached again.</summary>
    public bool ClearFailure()
    {
        var failed = Failure is not null;
        Failure = null;
        return failed;
    }

    /// <summary>Ends the stream and the loop; the transport stays usable.</summary>
    public async Task CloseAsync()
    {
        await _disposed.CancelAsync();
        await _loop;
    }

    private static void Signal(SemaphoreSlim semaphore)
    {
        if (semaphore.CurrentCount == 0)
        {
            semaphore.Release();
        }
    }

    private async Task WriteAsync(AdsStream stream, object request, ResourceEntry[] unanswered, CancellationTokenSource end)
    {
        await Task.Yield();
        try
        {
            await stream.WriteAsync(request, end.Token);
        }
        catch (Exception)
        {
            // The reader learns the status of a stream that the server has ended; give it the chance, then end the stream from here.
            try
            {
                await Task.Delay(StatusAfterFailedWrite, _options.TimeProvider, end.Token);
                await end.CancelAsync();
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                // The reader was told.
            }

            return;
        }

        _client.Enqueue(() =>
        {
            if (_stream == stream)
            {
                _writing = false;
                _client.StartResourceTimers(this, unanswered);
                Pump();
                _queued = _outbound.Count;
                Signal(_written);
            }
        });
    }

    private async Task RunAsync()
    {
        var shortStreams = 0;
        while (!_disposed.IsCancellationRequested)
        {
            try
            {
                if (!_wanted)
                {
                    await _demand.WaitAsync(_disposed.Token);
                    continue;
                }

                var opened = _options.TimeProvider.GetTimestamp();
                var (answered, error) = await RunStreamAsync();
                if (_disposed.IsCancellationRequested)
                {
                    return;
                }

                var replaced = false;
                var reason = error is null ? "the server ended the stream" : error is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Detail}" : error.Message;
                var unimplemented = _delta && !answered && error is RpcException { StatusCode: StatusCode.Unimplemented };
                await _client.EnqueueAsync(() =>
                {
                    replaced = _replacing;
                    _replacing = false;
                    Failure = replaced || unimplemented || answered ? Failure : reason;
                    _client.OnStreamClosed(this, replaced, failed: !replaced && !unimplemented && !answered);
                });

                // gRFC A57: a stream that brought a response was a success, and the next one may follow at once; but a server that answers
                // and hangs up for ever must not make the client spin.
                shortStreams = answered && _options.TimeProvider.GetElapsedTime(opened) < ShortStream ? shortStreams + 1 : 0;
                if (unimplemented)
                {
                    Log.NoDelta(_options.Logger, Server.Transport.Target);
                    _delta = false;
                }
                else if (!replaced && (!answered || shortStreams > 1))
                {
                    var delay = _backoff.Next();
                    Log.Failed(_options.Logger, Server.Transport.Target, reason, delay);
                    await Task.Delay(delay, _options.TimeProvider, _disposed.Token);
                }
            }
            catch (OperationCanceledException) when (_disposed.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<(bool Answered, Exception? Error)> RunStreamAsync()
    {
        var answered = false;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        AdsStream? stream = null;
        try
        {
            await _client.EnqueueAsync(() =>
            {
                _replacing = false;
                _streamEnd = end;
                stream = _delta
                    ? new DeltaStream(this, Server.Transport, _client.Node)
                    : new SotwStream(Server.Transport, _client.Node, _versions);
            });
            await stream!.OpenAsync(end.Token);
            await _client.EnqueueAsync(() =>
            {
                _stream = stream;
                _writing = false;
                _outbound.Clear();
                _client.OnStreamOpened(this);
                Pump();
            });
            Log.Connected(_options.Logger, Server.Transport.Target, _delta ? "delta" : "state of the world");

            while (await stream.ReadAsync(end.Token) is { } update)
            {
                if (!answered)
                {
                    answered = true;
                    _backoff.Reset();
                }

                // The next response is not read before the watchers have seen this one.
                await _client.ReceiveAsync(this, stream, update);
                while (_queued > MaxQueuedRequests)
                {
                    await _written.WaitAsync(end.Token);
                }
            }

            return (answered, null);
        }
        catch (Exception e)
        {
            return (answered, e);
        }
        finally
        {
            await _client.EnqueueAsync(() =>
            {
                _stream = null;
                ControlPlane = null;
                _streamEnd = null;
                _writing = false;
                _outbound.Clear();
            });
            await end.CancelAsync();
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }
        }
    }

    private readonly record struct OutboundRequest(ResourceTable? Table, AdsAck? Ack);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Connected to the control plane {Server} ({Variant})")]
        public static partial void Connected(ILogger logger, string server, string variant);

        [LoggerMessage(2, LogLevel.Warning, "The control plane {Server} cannot be reached: {Reason}. What is known stays in use; trying again in {Delay}")]
        public static partial void Failed(ILogger logger, string server, string reason, TimeSpan delay);

        [LoggerMessage(3, LogLevel.Information, "The control plane {Server} does not implement the incremental protocol; speaking state of the world")]
        public static partial void NoDelta(ILogger logger, string server);
    }
}
