using System.Threading.Channels;
using Envoy.Config.Core.V3;
using Google.Rpc;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Serving;

/// <summary>
/// One open stream. A reader folds requests into the state of their kinds, a writer sends what is due, the first kind in order first; so a client
/// that does not read costs one mark per kind, and reading never waits for writing.
/// </summary>
internal sealed partial class AdsConnection<TRequest, TResponse> : IAdsConnection
    where TRequest : class
    where TResponse : class
{
    private const int MaxNackLength = 4_096;
    private readonly IAdsCall<TResponse, TRequest> _call;
    private readonly IAdsVariant<TRequest, TResponse> _variant;
    private readonly IAdsBackend _backend;
    private readonly AdsServerLimits _limits;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly AdsServerMetrics _metrics;
    private readonly PushProgress _progress;
    private readonly AdsInbox _inbox;
    private readonly HealthReports _health;
    private readonly SubscribedNames _budget;
    private readonly Settlement _settlement = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // Guards all below, and with it every call into the node's view.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, AdsSubscription<TRequest, TResponse>> _subscriptions = new(StringComparer.Ordinal);
    private IAdsNodeView? _view;
    private Node? _node;
    private long _lastNonce;
    private long _takenEpoch;
    private CancellationTokenRegistration _expiry;
    private volatile bool _expired;
    private CancellationTokenSource? _ending;

    public AdsConnection(
        AdsConnectionInfo info,
        IAdsCall<TResponse, TRequest> call,
        IAdsVariant<TRequest, TResponse> variant,
        IAdsBackend backend,
        AdsServerLimits limits,
        ILogger logger,
        long epoch,
        TimeProvider time,
        AdsServerMetrics metrics)
    {
        Info = info;
        _call = call;
        _variant = variant;
        _backend = backend;
        _limits = limits;
        _logger = logger;
        _time = time;
        _metrics = metrics;
        _progress = new PushProgress(metrics, time);
        _inbox = new AdsInbox(epoch, time);
        _health = new HealthReports(logger, Wake);
        _budget = new SubscribedNames(limits);
        _takenEpoch = epoch;
    }

    public AdsConnectionInfo Info { get; }

    public void Push(AdsChange change, long epoch)
    {
        _inbox.Add(change, epoch);
        Wake();
    }

    public Task WhenSettledAsync(long epoch, CancellationToken cancellationToken) => _settlement.WaitAsync(epoch, cancellationToken);

    /// <summary>Serves until the client ends the stream, breaks a rule, or the server stops.</summary>
    /// <exception cref="RpcException">The client broke a rule, or the backend failed.</exception>
    /// <exception cref="OperationCanceledException">The server stops.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ending = ending;
        var reading = ReadAsync(ending.Token);
        var writing = WriteAsync(ending.Token);
        try
        {
            var first = await Task.WhenAny(reading, writing).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (_expired)
            {
                throw new RpcException(StatusCode.Unavailable, "what this stream was opened with has expired; open another");
            }

            await first.ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void End()
    {
        _expiry.Dispose();
        _health.Dispose();
        _settlement.End();
        lock (_gate)
        {
            if (_view is not null)
            {
                _metrics.Disconnected(_node!);
            }

            _view?.Dispose();
            _view = null;
        }
    }

    private void Expire()
    {
        _expired = true;

        // Not Cancel(): the end of the stream does not run on the clock's thread.
        _ = _ending!.CancelAsync();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        // Leaves the caller's thread: an in-process call may have its first request ready.
        await Task.Yield();
        while (true)
        {
            TRequest? request;
            try
            {
                request = await _call.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException exception) when (exception.StatusCode is not StatusCode.ResourceExhausted)
            {
                Log.ClientGone(_logger, Info.Id, exception.Detail);
                return;
            }

            if (request is null)
            {
                return;
            }

            Guarded(() => Receive(request));
            Wake();
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (true)
        {
            TResponse? response = null;
            Guarded(() => response = NextResponse());
            if (response is null)
            {
                _progress.Rest();
                await _wake.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            try
            {
                var began = _time.GetTimestamp();
                await _call.WriteAsync(response, cancellationToken).ConfigureAwait(false);
                _progress.Sent(began);
            }
            catch (RpcException exception)
            {
                Log.ClientGone(_logger, Info.Id, exception.Detail);
                return;
            }
        }
    }

    /// <summary>Runs under the lock; what the backend throws ends this stream only.</summary>
    private void Guarded(Action action)
    {
        try
        {
            lock (_gate)
            {
                action();
            }
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            Log.BackendFailed(_logger, Info.Id, exception);
            _metrics.Failed();
            throw new RpcException(StatusCode.Internal, "the control plane failed to answer; see its log", exception);
        }
    }

    private void Receive(TRequest message)
    {
        var request = _variant.Read(message);
        if (request.Bytes > _limits.MaxRequestBytes)
        {
            throw new RpcException(StatusCode.ResourceExhausted,
                $"a discovery request of {request.Bytes} bytes exceeds the limit of {_limits.MaxRequestBytes} bytes");
        }

        if (_view is null)
        {
            _node = request.Node ?? throw new RpcException(StatusCode.InvalidArgument, "the first request of a stream must carry its node");
            _view = _backend.Connect(Info, _node);
            _metrics.Connected(_node);
            _expiry = _view.Expired.UnsafeRegister(static state => ((AdsConnection<TRequest, TResponse>)state!).Expire(), this);
        }

        if (request.TypeUrl == TypeUrls.HealthInformation)
        {
            // With a nonce it answers our confirmation; that needs nothing. Istio's agent reports failure in error_detail.
            if (request.Nonce.Length == 0)
            {
                _health.Receive(_view, Info, request.Error is null, request.Error?.Message);
            }

            return;
        }

        if (request.TypeUrl.Length == 0 || !_view.Serves(request.TypeUrl))
        {
            Log.UnknownType(_logger, Info.Id, request.TypeUrl);
            return;
        }

        Receive(message, request, _view);
        Settle();
    }

    private void Receive(TRequest message, AdsRequest request, IAdsNodeView view)
    {
        // 1. A nonce on the first request of a kind is a remnant of an earlier stream.
        var isFirst = !_subscriptions.TryGetValue(request.TypeUrl, out var subscription);
        if (subscription is null)
        {
            subscription = _variant.Subscribe(request.TypeUrl, _budget);
            _subscriptions.Add(request.TypeUrl, subscription);
            _settlement.Open();
        }

        subscription.Requests++;
        var isAnswer = !isFirst && request.Nonce.Length > 0;
        var isKnown = AckTracker.TryParse(request.Nonce, out var nonce);

        // 2. A stale list of names is ignored, the client repeats it with its next answer; a difference of names is not repeated.
        var isStale = isAnswer && !(isKnown && subscription.Acks.IsLast(nonce));
        if ((!isStale || _variant.IsDelta) && subscription.Apply(message, isFirst))
        {
            subscription.MarkOwed(_settlement.Epoch);
        }

        // 3. After the names: what is owed because of a response belongs to its answer.
        if (isAnswer && isKnown && subscription.Acks.Answer(nonce) is { } answered)
        {
            Answered(subscription, view, answered.Version, request.Error);
        }
    }

    private void Answered(AdsSubscription subscription, IAdsNodeView view, string version, Status? error)
    {
        if (error is null)
        {
            subscription.LastNack = null;
            subscription.Acks.Acknowledge(version, _time.GetUtcNow());
            view.OnAck(subscription.TypeUrl, version);
            return;
        }

        subscription.LastNack = error.Message.Length > MaxNackLength ? error.Message[..MaxNackLength] : error.Message;
        subscription.Acks.Refuse(version, _time.GetUtcNow());
        _metrics.Refused(subscription.TypeUrl, _node!.Id, error.Code);
        Log.Refused(_logger, Info.Id, _node.Id, subscription.TypeUrl, version, subscription.LastNack);
        view.OnNack(subscription.TypeUrl, version, error);
    }

    private TResponse? NextResponse()
    {
        if (_view is null)
        {
            return null;
        }

        TakePushes();
        if (_health.Take() is { } confirmation)
        {
            return _variant.ConfirmHealth(confirmation, AckTracker.Format(++_lastNonce));
        }

        while (NextDue() is { } subscription)
        {
            var hold = AdsTypeOrder.RemovesAfterRoutes(subscription.TypeUrl)
                && _subscriptions.Values.Any(other => other.IsDue && AdsTypeOrder.NamesClusters(other.TypeUrl));
            var nonce = _lastNonce + 1;
            var began = _time.GetTimestamp();
            var response = subscription.NextResponse(_view, hold, AckTracker.Format(nonce));

            // With more to come of this kind, the answer to this part settles nothing.
            var epoch = subscription.IsDue ? subscription.Acks.SettledEpoch : _takenEpoch;
            if (response is not null)
            {
                _lastNonce = nonce;
                _metrics.Pushed(subscription.TypeUrl, response, _time.GetElapsedTime(began));
                subscription.Responses++;
                subscription.Acks.Sent(nonce, epoch, subscription.Sent.Version, _time.GetUtcNow());
                return response;
            }

            subscription.Acks.NothingToSend(epoch);
        }

        Settle();
        return null;
    }

    private void TakePushes()
    {
        var (epoch, changed, everythingFor, since) = _inbox.Take();
        _progress.Taken(since);
        if (everythingFor.Any(concerns => concerns(_view!)))
        {
            foreach (var subscription in _subscriptions.Values)
            {
                subscription.MarkChanged(null, _takenEpoch);
            }
        }

        foreach (var (typeUrl, names) in changed)
        {
            if (_subscriptions.TryGetValue(typeUrl, out var subscription))
            {
                subscription.MarkChanged(names, _takenEpoch);
            }
        }

        _takenEpoch = epoch;
        Settle();
    }

    private AdsSubscription<TRequest, TResponse>? NextDue()
    {
        AdsSubscription<TRequest, TResponse>? next = null;
        foreach (var subscription in _subscriptions.Values)
        {
            if (subscription.IsDue && (next is null || (subscription.HoldsRemovals, subscription.Rank).CompareTo((next.HoldsRemovals, next.Rank)) < 0))
            {
                next = subscription;
            }
        }

        return next;
    }

    private void Settle()
    {
        if (_subscriptions.Count == 0)
        {
            return;
        }

        var settled = _takenEpoch;
        foreach (var subscription in _subscriptions.Values)
        {
            if (subscription.IsBusy)
            {
                settled = Math.Min(settled, subscription.Acks.SettledEpoch);
            }
        }

        _settlement.Advance(settled);
    }

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Debug, "ADS stream {Connection}: the client is gone ({Reason})")]
        public static partial void ClientGone(ILogger logger, long connection, string reason);

        [LoggerMessage(11, LogLevel.Debug, "ADS stream {Connection}: '{TypeUrl}' is not served; the request is ignored")]
        public static partial void UnknownType(ILogger logger, long connection, string typeUrl);

        [LoggerMessage(12, LogLevel.Warning, "ADS stream {Connection}: node '{Node}' refused {TypeUrl} version {Version}: {Reason}")]
        public static partial void Refused(ILogger logger, long connection, string node, string typeUrl, string version, string reason);

        [LoggerMessage(13, LogLevel.Error, "ADS stream {Connection}: the control plane failed; the stream ends")]
        public static partial void BackendFailed(ILogger logger, long connection, Exception exception);
    }
}
