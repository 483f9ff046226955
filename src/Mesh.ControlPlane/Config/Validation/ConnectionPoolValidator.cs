using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using HttpSettings = Istio.Networking.V1Alpha3.ConnectionPoolSettings.Types.HTTPSettings;
using TcpSettings = Istio.Networking.V1Alpha3.ConnectionPoolSettings.Types.TCPSettings;

namespace Mesh.ControlPlane.Config.Validation;

internal static class ConnectionPoolValidator
{
    public static void Validate(ConnectionPoolSettings? pool, string path, ValidationContext context)
    {
        if (pool is null)
        {
            return;
        }

        if (pool is { Tcp: null, Http: null })
        {
            context.Error(path, "sets nothing: give it tcp or http, or remove it.");
        }

        Tcp(pool.Tcp, $"{path}.tcp", context);
        Http(pool.Http, $"{path}.http", context);
    }

    private static void Tcp(TcpSettings? tcp, string path, ValidationContext context)
    {
        NotNegative(tcp?.MaxConnections, $"{path}.maxConnections", context);
        FieldRules.AtLeastAMillisecond(tcp?.ConnectTimeout, $"{path}.connectTimeout", context);
        FieldRules.AtLeastAMillisecond(tcp?.MaxConnectionDuration, $"{path}.maxConnectionDuration", context);
        FieldRules.AtLeastAMillisecond(tcp?.IdleTimeout, $"{path}.idleTimeout", context, zeroDisables: true);
        Keepalive(tcp?.TcpKeepalive, $"{path}.tcpKeepalive", context);
    }

    public static void Keepalive(TcpSettings.Types.TcpKeepalive? keepalive, string path, ValidationContext context)
    {
        WholeSeconds(keepalive?.Time, $"{path}.time", context);
        WholeSeconds(keepalive?.Interval, $"{path}.interval", context);
    }

    private static void Http(HttpSettings? http, string path, ValidationContext context)
    {
        if (http is null)
        {
            return;
        }

        NotNegative(http.Http1MaxPendingRequests, $"{path}.http1MaxPendingRequests", context);
        NotNegative(http.Http2MaxRequests, $"{path}.http2MaxRequests", context);
        NotNegative(http.MaxRequestsPerConnection, $"{path}.maxRequestsPerConnection", context);
        NotNegative(http.MaxRetries, $"{path}.maxRetries", context);
        NotNegative(http.MaxConcurrentStreams, $"{path}.maxConcurrentStreams", context);
        FieldRules.AtLeastAMillisecond(http.IdleTimeout, $"{path}.idleTimeout", context);
        if (http is { UseClientProtocol: true, H2UpgradePolicy: HttpSettings.Types.H2UpgradePolicy.Upgrade })
        {
            context.Error($"{path}.useClientProtocol", "cannot be true beside h2UpgradePolicy UPGRADE: keep one.");
        }

        if (http.Http2KeepAlive is { } keepalive)
        {
            Required(keepalive.Interval, $"{path}.http2KeepAlive.interval", context);
            Required(keepalive.Timeout, $"{path}.http2KeepAlive.timeout", context);
        }
    }

    private static void NotNegative(int? value, string path, ValidationContext context)
    {
        if (value < 0)
        {
            context.Error(path, $"must not be negative, but is {value}.");
        }
    }

    private static void Required(Duration? duration, string path, ValidationContext context)
    {
        if (duration is null)
        {
            context.Error(path, "is required.");
        }

        FieldRules.AtLeastAMillisecond(duration, path, context);
    }

    private static void WholeSeconds(Duration? duration, string path, ValidationContext context)
    {
        if (duration is not null && (duration.Seconds < 1 || duration.Nanos != 0))
        {
            context.Error(path, "must be whole seconds, at least 1s: TCP keep-alive counts seconds.");
        }
    }
}
