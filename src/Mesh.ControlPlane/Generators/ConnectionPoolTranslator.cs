using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using EnvoyHttpOptions = Envoy.Config.Core.V3.HttpProtocolOptions;
using HttpProtocolOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using HttpSettings = Istio.Networking.V1Alpha3.ConnectionPoolSettings.Types.HTTPSettings;
using Thresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;

namespace Mesh.ControlPlane.Generators;

/// <summary>Connections and what may be on its way over them: limits, timeouts, protocol.</summary>
internal static class ConnectionPoolTranslator
{
    /// <summary>Istio's default, where neither rule nor mesh says otherwise.</summary>
    private static readonly Duration ConnectTimeout = new() { Seconds = 10 };

    public static void Apply(Cluster cluster, ConnectionPoolSettings? settings, TrafficPolicy.Types.RetryBudget? retryBudget)
    {
        cluster.ConnectTimeout = settings?.Tcp?.ConnectTimeout ?? ConnectTimeout;
        cluster.CircuitBreakers = new CircuitBreakers { Thresholds = { Limits(settings, retryBudget) } };
        if (settings?.Tcp?.TcpKeepalive is { } keepalive)
        {
            cluster.UpstreamConnectionOptions = new UpstreamConnectionOptions
            {
                TcpKeepalive = new TcpKeepalive
                {
                    KeepaliveProbes = keepalive.Probes > 0 ? keepalive.Probes : null,
                    KeepaliveTime = (uint?)keepalive.Time?.Seconds,
                    KeepaliveInterval = (uint?)keepalive.Interval?.Seconds,
                },
            };
        }
    }

    /// <summary>The protocol of a port and the settings of HTTP connections; <see langword="null"/> for HTTP/1.1 as it is.</summary>
    public static HttpProtocolOptions? HttpOptions(
        MeshServicePort port,
        ConnectionPoolSettings? settings,
        Istio.Networking.V1Alpha3.OutlierDetection? outlierDetection,
        UpstreamHttpProtocolOptions? tls)
    {
        var http = settings?.Http;
        var options = Protocol(port, http);
        var common = CommonOptions(settings);
        var errorCodes = OutlierDetectionTranslator.TranslateErrorCodes(outlierDetection);
        if (options is null && common is null && errorCodes is null && tls is null)
        {
            return null;
        }

        // Envoy wants the protocol said as soon as anything else is.
        options ??= new HttpProtocolOptions { ExplicitHttpConfig = new() { HttpProtocolOptions = new Http1ProtocolOptions() } };
        options.CommonHttpProtocolOptions = common;
        options.OutlierDetection = errorCodes;
        options.UpstreamHttpProtocolOptions = tls;
        if ((options.ExplicitHttpConfig?.Http2ProtocolOptions ?? options.UseDownstreamProtocolConfig?.Http2ProtocolOptions) is { } http2)
        {
            http2.MaxConcurrentStreams = http is { MaxConcurrentStreams: > 0 } ? (uint)http.MaxConcurrentStreams : null;
            http2.ConnectionKeepalive = http?.Http2KeepAlive is { } keepalive
                ? new KeepaliveSettings { Interval = keepalive.Interval, Timeout = keepalive.Timeout }
                : null;
        }

        return options;
    }

    private static HttpProtocolOptions? Protocol(MeshServicePort port, HttpSettings? http)
    {
        var upgrade = http?.H2UpgradePolicy == HttpSettings.Types.H2UpgradePolicy.Upgrade;
        if (http is { UseClientProtocol: true } || (port.Protocol == PortProtocol.Auto && !upgrade))
        {
            return new HttpProtocolOptions
            {
                UseDownstreamProtocolConfig = new() { HttpProtocolOptions = new Http1ProtocolOptions(), Http2ProtocolOptions = new Http2ProtocolOptions() },
            };
        }

        // Who asks for the upgrade knows what the port speaks, whatever its name says.
        return upgrade || port.Protocol.IsHttp2()
            ? new HttpProtocolOptions { ExplicitHttpConfig = new() { Http2ProtocolOptions = new Http2ProtocolOptions() } }
            : null;
    }

    private static EnvoyHttpOptions? CommonOptions(ConnectionPoolSettings? settings)
    {
        var idleTimeout = settings?.Http?.IdleTimeout ?? settings?.Tcp?.IdleTimeout;
        var maxConnectionDuration = settings?.Tcp?.MaxConnectionDuration;
        var maxRequests = settings?.Http?.MaxRequestsPerConnection > 0 ? (uint?)settings.Http.MaxRequestsPerConnection : null;
        return idleTimeout is null && maxConnectionDuration is null && maxRequests is null
            ? null
            : new EnvoyHttpOptions { IdleTimeout = idleTimeout, MaxConnectionDuration = maxConnectionDuration, MaxRequestsPerConnection = maxRequests };
    }

    /// <summary>What is not limited is as good as endless: Envoy's own defaults (1024, and 3 retries) trip where nobody asked for a breaker.</summary>
    private static Thresholds Limits(ConnectionPoolSettings? settings, TrafficPolicy.Types.RetryBudget? retryBudget) => new()
    {
        MaxConnections = LimitOf(settings?.Tcp?.MaxConnections),
        MaxPendingRequests = LimitOf(settings?.Http?.Http1MaxPendingRequests),
        MaxRequests = LimitOf(settings?.Http?.Http2MaxRequests),
        MaxRetries = LimitOf(settings?.Http?.MaxRetries),
        TrackRemaining = true,
        RetryBudget = retryBudget is null
            ? null
            : new Thresholds.Types.RetryBudget
            {
                BudgetPercent = new Envoy.Type.V3.Percent { Value = retryBudget.Percent ?? 20 },
                BudgetInterval = retryBudget.BudgetInterval,
                MinRetryConcurrency = retryBudget.MinRetryConcurrency > 0 ? retryBudget.MinRetryConcurrency : 3,
            },
    };

    private static uint LimitOf(int? value) => value > 0 ? (uint)value : uint.MaxValue;
}
