using Istio.Mesh.V1Alpha1;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio demands of a MeshConfig, and what would be read otherwise than its author meant.</summary>
internal static class MeshConfigValidator
{
    /// <summary>Those of TLS 1.2 that Istio takes and .NET has; the suites of TLS 1.3 are always offered.</summary>
    private static readonly string[] CipherSuites =
    [
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "AES256-GCM-SHA384", "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES256-SHA", "AES128-SHA",
    ];

    /// <summary>Providers that are there without being declared.</summary>
    private static readonly string[] BuiltInProviders = ["prometheus", "stackdriver", "envoy"];

    public static void Validate(MeshConfig config, ValidationContext context)
    {
        if (config.OutboundTrafficPolicy is not null && context.IsWritten("outboundTrafficPolicy.mode") == false)
        {
            // Its zero is REGISTRY_ONLY, the default of a mesh is ALLOW_ANY.
            context.Error("outboundTrafficPolicy", "mode is missing: write ALLOW_ANY or REGISTRY_ONLY.");
        }

        Names(config, context);
        Defaults(config, context);
        Providers(config, context);
        Port(config.ProxyListenPort, "proxyListenPort", context);
        Port(config.ProxyInboundListenPort, "proxyInboundListenPort", context);
        Port(config.ProxyHttpPort, "proxyHttpPort", context);
        TelemetryProviderValidator.Validate(config, context);
    }

    private static void Names(MeshConfig config, ValidationContext context)
    {
        if (config.RootNamespace.Length > 0 && !DnsName.IsLowerLabel(config.RootNamespace))
        {
            context.Error("rootNamespace", $"\"{config.RootNamespace}\" is not a namespace: lower-case letters, digits and '-', at most 63.");
        }

        TrustDomain(config.TrustDomain, "trustDomain", context);
        for (var i = 0; i < config.TrustDomainAliases.Count; i++)
        {
            TrustDomain(config.TrustDomainAliases[i], $"trustDomainAliases[{i}]", context);
        }

        for (var i = 0; i < config.MeshMTLS?.CipherSuites.Count; i++)
        {
            if (!CipherSuites.Contains(config.MeshMTLS.CipherSuites[i]))
            {
                context.Error($"meshMTLS.cipherSuites[{i}]", $"\"{config.MeshMTLS.CipherSuites[i]}\" is none of {string.Join(", ", CipherSuites)}: every server would refuse it.");
            }
        }

        FieldRules.ExportTo(config.DefaultServiceExportTo, context, "defaultServiceExportTo");
        FieldRules.ExportTo(config.DefaultVirtualServiceExportTo, context, "defaultVirtualServiceExportTo");
        FieldRules.ExportTo(config.DefaultDestinationRuleExportTo, context, "defaultDestinationRuleExportTo");
    }

    private static void Defaults(MeshConfig config, ValidationContext context)
    {
        FieldRules.AtLeastAMillisecond(config.ConnectTimeout, "connectTimeout", context);
        FieldRules.AtLeastAMillisecond(config.DnsRefreshRate, "dnsRefreshRate", context);
        FieldRules.AtLeastAMillisecond(config.ProtocolDetectionTimeout, "protocolDetectionTimeout", context, zeroDisables: true);
        ConnectionPoolValidator.Keepalive(config.TcpKeepalive, "tcpKeepalive", context);
        HttpRetryValidator.Validate(config.DefaultHttpRetryPolicy, null, "defaultHttpRetryPolicy", context);
        ConnectionPoolValidator.Validate(config.DefaultTrafficPolicy?.ConnectionPool, "defaultTrafficPolicy.connectionPool", context);
        OutlierDetectionValidator.Validate(config.DefaultTrafficPolicy?.OutlierDetection, "defaultTrafficPolicy.outlierDetection", context);

        // Whether there is outlier detection is for each DestinationRule to say.
        var anyDetection = new OutlierDetection();
        LocalityLbValidator.Validate(config.LocalityLbSetting, anyDetection, "localityLbSetting", context);
        LocalityLbValidator.Validate(config.ZoneAwareLbSetting, anyDetection, "zoneAwareLbSetting", context);
        if (config.LocalityLbSetting is not null && config.ZoneAwareLbSetting is { Enabled: not false })
        {
            context.Warn("localityLbSetting", "is not used beside zoneAwareLbSetting.");
        }
    }

    private static void Providers(MeshConfig config, ValidationContext context)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < config.ExtensionProviders.Count; i++)
        {
            var provider = config.ExtensionProviders[i];
            if (provider.Name.Length == 0)
            {
                context.Error($"extensionProviders[{i}]", "name is missing.");
            }
            else if (!names.Add(provider.Name))
            {
                context.Error($"extensionProviders[{i}].name", $"\"{provider.Name}\" is given twice: rename one.");
            }

            if (provider.EnvoyExtAuthzHttp is { } http)
            {
                ExtAuthzProviderValidator.Validate(provider.Name, http, $"extensionProviders[{i}]", context);
            }
            else if (provider.EnvoyExtAuthzGrpc is { } grpc)
            {
                ExtAuthzProviderValidator.Validate(provider.Name, grpc, $"extensionProviders[{i}]", context);
            }
            else if (provider.ProviderCase == MeshConfig.Types.ExtensionProvider.ProviderOneofCase.None)
            {
                context.Error($"extensionProviders[{i}]", "says nothing of what it provides: give it one of envoyExtAuthzHttp, zipkin, opentelemetry, prometheus, envoyFileAccessLog and the like.");
            }

            TelemetryProviderValidator.Validate(provider, $"extensionProviders[{i}]", context);
        }

        Known(config.DefaultProviders?.Tracing, "tracing");
        Known(config.DefaultProviders?.Metrics, "metrics");
        Known(config.DefaultProviders?.AccessLogging, "accessLogging");

        void Known(IReadOnlyList<string>? providers, string kind)
        {
            for (var i = 0; i < providers?.Count; i++)
            {
                if (!names.Contains(providers[i]) && !BuiltInProviders.Contains(providers[i]))
                {
                    context.Error($"defaultProviders.{kind}[{i}]", $"\"{providers[i]}\" is none of the extensionProviders: add it there, or correct the name.");
                }
            }
        }
    }

    private static void TrustDomain(string domain, string path, ValidationContext context)
    {
        // As in Istio; the colon is that of workload pools (example.svc.id.goog:pool).
        if (domain.Length > 0 && !domain.Replace(':', '.').Split('.').All(label => DnsName.IsLowerLabel(label)))
        {
            context.Error(path, $"\"{domain}\" is not a trust domain: lower-case letters, digits, '-' and '.', such as cluster.local.");
        }
    }

    private static void Port(int port, string path, ValidationContext context)
    {
        if (port is < 0 or > 65535)
        {
            context.Error(path, $"must be a port from 1 to 65535, not {port}.");
        }
    }
}
