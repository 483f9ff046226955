using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class TrafficPolicyValidator
{
    public static void Validate(TrafficPolicy? policy, string path, ValidationContext context)
    {
        if (policy is null)
        {
            return;
        }

        Parts(policy.LoadBalancer, policy.ConnectionPool, policy.OutlierDetection, policy.Tls, path, context);
        var ports = new HashSet<uint>();
        for (var i = 0; i < policy.PortLevelSettings.Count; i++)
        {
            var settings = policy.PortLevelSettings[i];
            var at = $"{path}.portLevelSettings[{i}]";
            if (settings.Port is null)
            {
                context.Error($"{at}.port", "is required: name the port by its number.");
            }
            else
            {
                FieldRules.Port(settings.Port.Number, $"{at}.port.number", context);
                if (!ports.Add(settings.Port.Number))
                {
                    context.Error($"{at}.port.number", $"the port {settings.Port.Number} is given twice: keep one.");
                }
            }

            Parts(settings.LoadBalancer, settings.ConnectionPool, settings.OutlierDetection, settings.Tls, at, context);
        }
    }

    private static void Parts(
        LoadBalancerSettings? balancer,
        ConnectionPoolSettings? pool,
        OutlierDetection? outlier,
        ClientTLSSettings? tls,
        string path,
        ValidationContext context)
    {
        if (balancer?.ConsistentHash is { } hash)
        {
            if (hash.HashKeyCase == LoadBalancerSettings.Types.ConsistentHashLB.HashKeyOneofCase.None)
            {
                context.Error($"{path}.loadBalancer.consistentHash", "must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName.");
            }

            if (hash.HttpCookie is { Name: "" })
            {
                context.Error($"{path}.loadBalancer.consistentHash.httpCookie.name", "is required.");
            }
        }

        FieldRules.AtLeastAMillisecond(pool?.Tcp?.ConnectTimeout, $"{path}.connectionPool.tcp.connectTimeout", context);
        FieldRules.AtLeastAMillisecond(pool?.Http?.IdleTimeout, $"{path}.connectionPool.http.idleTimeout", context);
        foreach (var (name, value) in new[]
        {
            ("tcp.maxConnections", pool?.Tcp?.MaxConnections),
            ("http.http1MaxPendingRequests", pool?.Http?.Http1MaxPendingRequests),
            ("http.http2MaxRequests", pool?.Http?.Http2MaxRequests),
            ("http.maxRequestsPerConnection", pool?.Http?.MaxRequestsPerConnection),
            ("http.maxRetries", pool?.Http?.MaxRetries),
            ("http.maxConcurrentStreams", pool?.Http?.MaxConcurrentStreams),
        })
        {
            if (value < 0)
            {
                context.Error($"{path}.connectionPool.{name}", $"must not be negative, but is {value}.");
            }
        }

        if (outlier is not null)
        {
            FieldRules.AtLeastAMillisecond(outlier.Interval, $"{path}.outlierDetection.interval", context);
            FieldRules.AtLeastAMillisecond(outlier.BaseEjectionTime, $"{path}.outlierDetection.baseEjectionTime", context);
            foreach (var (name, value) in new[] { ("maxEjectionPercent", outlier.MaxEjectionPercent), ("minHealthPercent", outlier.MinHealthPercent) })
            {
                if (value is < 0 or > 100)
                {
                    context.Error($"{path}.outlierDetection.{name}", $"must be from 0 to 100, not {value}.");
                }
            }
        }

        if (tls is { Mode: ClientTLSSettings.Types.TLSmode.Mutual, CredentialName: "" } && (tls.ClientCertificate.Length == 0 || tls.PrivateKey.Length == 0))
        {
            context.Error($"{path}.tls", "mode MUTUAL needs clientCertificate and privateKey, or credentialName.");
        }
    }
}
