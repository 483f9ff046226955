using System.Net;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Serving;

/// <summary>The ADS server engine: streams on one side, a backend on the other.</summary>
internal sealed partial class AdsServer(IAdsBackend backend, ILogger<AdsServer> logger, AdsServerLimits? limits = null, TimeProvider? time = null, MetricRegistry? metrics = null) : IAdsServer
{
    /// <summary>What responses carry in <c>control_plane.identifier</c>.</summary>
    public const string Identifier = "mesh";

    private readonly AdsServerLimits _limits = limits ?? new AdsServerLimits();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly AdsServerMetrics _metrics = new(metrics ?? new MetricRegistry());
    private readonly SotwVariant _sotw = new();
    private readonly DeltaVariant _delta = new(limits ?? new AdsServerLimits());
    private readonly Lock _gate = new();
    private readonly Dictionary<long, IAdsConnection> _connections = [];
    private long _lastConnection;
    private long _epoch;

    public IReadOnlyList<AdsConnectionStatus> Connections => Open().Select(connection => connection.Status).ToList();

    public IReadOnlyList<AdsResourceStatus> ResourcesOf(long connection)
    {
        IAdsConnection? open;
        lock (_gate)
        {
            open = _connections.GetValueOrDefault(connection);
        }

        return open?.Resources ?? [];
    }

    public Task ServeAsync(IAdsCall<DiscoveryResponse, DiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken) =>
        ServeAsync(call, _sotw, caller, cancellationToken);

    public Task ServeDeltaAsync(IAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken) =>
        ServeAsync(call, _delta, caller, cancellationToken);

    public long Push(AdsChange change)
    {
        // The inboxes see pushes in the order of their numbers.
        lock (_gate)
        {
            _epoch++;
            foreach (var connection in _connections.Values)
            {
                connection.Push(change, _epoch);
            }

            return _epoch;
        }
    }

    public Task WhenAcknowledgedAsync(long epoch, CancellationToken cancellationToken) =>
        Task.WhenAll(Open().Select(connection => connection.WhenSettledAsync(epoch, cancellationToken)));

    private List<IAdsConnection> Open()
    {
        lock (_gate)
        {
            return [.. _connections.Values];
        }
    }

    private async Task ServeAsync<TRequest, TResponse>(
        IAdsCall<TResponse, TRequest> call, IAdsVariant<TRequest, TResponse> variant, CallerCredentials caller, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        AdsConnection<TRequest, TResponse> connection;
        lock (_gate)
        {
            var info = new AdsConnectionInfo(++_lastConnection, caller.Remote, IsInProcess: call is InProcessAdsCall<TResponse, TRequest>)
            {
                Caller = caller,
                OpenedAt = _time.GetUtcNow(),
            };
            connection = new AdsConnection<TRequest, TResponse>(info, call, variant, backend, _limits, logger, _epoch, _time, _metrics);
            _connections.Add(info.Id, connection);
        }

        Log.Opened(logger, connection.Info.Id, caller.Remote, variant.IsDelta);
        try
        {
            await connection.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _connections.Remove(connection.Info.Id);
            }

            Log.Closed(logger, connection.Info.Id);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(20, LogLevel.Debug, "ADS stream {Connection} from {Remote} opened (incremental: {IsDelta})")]
        public static partial void Opened(ILogger logger, long connection, EndPoint? remote, bool isDelta);

        [LoggerMessage(21, LogLevel.Debug, "ADS stream {Connection} ended")]
        public static partial void Closed(ILogger logger, long connection);
    }
}
