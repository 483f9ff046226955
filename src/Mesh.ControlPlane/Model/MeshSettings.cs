using Google.Protobuf.WellKnownTypes;
using Istio.Mesh.V1Alpha1;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model.Policies;
using Mesh.ControlPlane.Model.Signals;
using H2Upgrade = Istio.Networking.V1Alpha3.ConnectionPoolSettings.Types.HTTPSettings.Types.H2UpgradePolicy;
using OutboundMode = Istio.Mesh.V1Alpha1.MeshConfig.Types.OutboundTrafficPolicy.Types.Mode;

namespace Mesh.ControlPlane.Model;

/// <summary>What holds for the whole mesh: the MeshConfig in force with Istio's defaults; immutable, and another object when anything in it has changed.</summary>
internal sealed class MeshSettings
{
    /// <summary>Istio's default.</summary>
    public const string DefaultRootNamespace = "istio-system";

    private static readonly Duration DefaultConnectTimeout = new() { Seconds = 10 };
    private static readonly Duration DefaultDnsRefreshRate = new() { Seconds = 60 };

    private readonly bool _upgradesToHttp2;

    private MeshSettings(MeshConfig config, ConfigResource? source)
    {
        Config = config;
        Source = source;
        OutboundTraffic = config.OutboundTrafficPolicy is { Mode: OutboundMode.RegistryOnly } ? OutboundTraffic.RegistryOnly : OutboundTraffic.AllowAny;
        RootNamespace = config.RootNamespace.Length > 0 ? config.RootNamespace : DefaultRootNamespace;
        ConnectTimeout = config.ConnectTimeout ?? DefaultConnectTimeout;
        DnsRefreshRate = config.DnsRefreshRate ?? DefaultDnsRefreshRate;
        TrustDomains = new TrustDomains(config);
        Providers = new TelemetryProviders(config);
        ProxyConfig = config.DefaultConfig is { } defaults ? new WorkloadProxyConfig(defaults) : WorkloadProxyConfig.Default;
        EnableTracing = config.EnableTracing ? true : source?.IsWritten("enableTracing") == true ? false : null;
        _upgradesToHttp2 = config.H2UpgradePolicy == MeshConfig.Types.H2UpgradePolicy.Upgrade;
    }

    /// <summary>A mesh without a MeshConfig.</summary>
    public static MeshSettings Default { get; } = new(new MeshConfig(), null);

    /// <summary>As it is written: the parts that have no member here are for those who will read them.</summary>
    public MeshConfig Config { get; }

    /// <summary>Where it is written; <see langword="null"/> when nowhere.</summary>
    public ConfigResource? Source { get; }

    /// <summary>What happens to hosts that no service names, where no Sidecar says otherwise.</summary>
    public OutboundTraffic OutboundTraffic { get; }

    /// <summary>The namespace whose DestinationRules and Sidecars are everyone's.</summary>
    public string RootNamespace { get; }

    /// <summary>What holds for workloads that neither a ProxyConfig nor their annotation says anything else of.</summary>
    public WorkloadProxyConfig ProxyConfig { get; }

    /// <summary>Where signals go.</summary>
    public TelemetryProviders Providers { get; }

    /// <summary>Whether requests are traced where no Telemetry says anything; <see langword="null"/>: it is not written.</summary>
    public bool? EnableTracing { get; }

    /// <summary>The trust domain of the mesh and its other names.</summary>
    public TrustDomains TrustDomains { get; }

    /// <summary>Whether clients speak mutual TLS with workloads that do, where no DestinationRule says otherwise.</summary>
    public bool HasAutoMutualTls => Config.EnableAutoMtls != false;

    /// <summary>How long a connection may take to be made, where no DestinationRule says.</summary>
    public Duration ConnectTimeout { get; }

    /// <summary>After how long names are resolved again, unless their own time to live ends sooner.</summary>
    public Duration DnsRefreshRate { get; }

    /// <summary>What is retried where a route does not say; <see langword="null"/>: Istio's defaults.</summary>
    public HTTPRetry? Retries => Config.DefaultHttpRetryPolicy;

    /// <summary>To whom services are visible that do not say.</summary>
    public IReadOnlyCollection<string> ServiceExportTo => Config.DefaultServiceExportTo;

    /// <summary>To whom VirtualServices are visible that do not say.</summary>
    public IReadOnlyCollection<string> VirtualServiceExportTo => Config.DefaultVirtualServiceExportTo;

    /// <summary>To whom DestinationRules are visible that do not say.</summary>
    public IReadOnlyCollection<string> DestinationRuleExportTo => Config.DefaultDestinationRuleExportTo;

    /// <summary>How the paths of requests are made comparable.</summary>
    public MeshConfig.Types.ProxyPathNormalization.Types.NormalizationType PathNormalization => Config.PathNormalization?.Normalization ?? default;

    /// <summary>The settings that a document comes to.</summary>
    public static MeshSettings Of(ConfigResource source) => new((MeshConfig)source.Spec, source);

    /// <summary>Fills in what a DestinationRule leaves to the mesh.</summary>
    public TrafficPolicyParts Complete(in TrafficPolicyParts policy, PortProtocol? protocol = null)
        => ReferenceEquals(this, Default)
            ? policy
            : policy with
            {
                ConnectionPool = Complete(policy.ConnectionPool, protocol),
                OutlierDetection = policy.OutlierDetection ?? Config.DefaultTrafficPolicy?.OutlierDetection,
                MeshLocality = Config.LocalityLbSetting,
                MeshZoneAware = Config.ZoneAwareLbSetting,
            };

    private ConnectionPoolSettings? Complete(ConnectionPoolSettings? pool, PortProtocol? protocol)
    {
        pool ??= Config.DefaultTrafficPolicy?.ConnectionPool;
        var connectTimeout = pool?.Tcp?.ConnectTimeout is null ? Config.ConnectTimeout : null;
        var keepalive = pool?.Tcp?.TcpKeepalive is null ? Config.TcpKeepalive : null;
        var upgrades = _upgradesToHttp2 && protocol == PortProtocol.Http && pool?.Http is null or { H2UpgradePolicy: H2Upgrade.Default, UseClientProtocol: false };
        if (connectTimeout is null && keepalive is null && !upgrades)
        {
            return pool;
        }

        pool = pool?.Clone() ?? new ConnectionPoolSettings();
        if (connectTimeout is not null || keepalive is not null)
        {
            pool.Tcp ??= new ConnectionPoolSettings.Types.TCPSettings();
            pool.Tcp.ConnectTimeout ??= connectTimeout;
            pool.Tcp.TcpKeepalive ??= keepalive;
        }

        if (upgrades)
        {
            pool.Http ??= new ConnectionPoolSettings.Types.HTTPSettings();
            pool.Http.H2UpgradePolicy = H2Upgrade.Upgrade;
        }

        return pool;
    }
}
