using System.Collections.Concurrent;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model.Policies;
using Mesh.ControlPlane.Model.Signals;

namespace Mesh.ControlPlane.Model;

/// <summary>The documents, indexed by what asks for them; immutable. Parts whose documents are unchanged are shared with the index before.</summary>
internal sealed class ConfigIndex
{
    /// <summary>Kinds of workloads whose signals are remembered: the bound keeps one that invents labels from filling the memory.</summary>
    private const int MaxSignals = 10_000;

    private readonly Dictionary<string, List<MeshService>> _services;
    private readonly Dictionary<string, List<VirtualServiceRule>> _virtualServices;
    private readonly Dictionary<(string Namespace, string Host), HostDestinationRules> _destinationRules;
    private readonly ILookup<string, HostDestinationRules> _destinationRulesByHost;
    private readonly Lazy<TcpListenerIndex> _tcpListeners;
    private readonly Lazy<AddressIndex> _addresses;
    private readonly Lazy<ILookup<string, MeshService>> _selecting;
    private readonly Lazy<ILookup<string, MeshService>> _aliases;
    private readonly Lazy<ILookup<string, VirtualServiceRule>> _rulesByDestination;
    private readonly ConcurrentDictionary<(string Namespace, SidecarRule? Selecting), ClientScope> _scopes = new();
    private readonly ConcurrentDictionary<string, ClientScope> _exported = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Key, WorkloadMode Mode), ListenerSignals> _signals = new();

    public ConfigIndex(
        string clusterDomain,
        Dictionary<string, List<MeshService>> services,
        Dictionary<string, List<VirtualServiceRule>> virtualServices,
        Dictionary<(string Namespace, string Host), HostDestinationRules> destinationRules,
        IReadOnlyList<WorkloadInstance> workloadEntries)
    {
        ClusterDomain = clusterDomain;
        _services = services;
        _virtualServices = virtualServices;
        _destinationRules = destinationRules;
        _destinationRulesByHost = destinationRules.Values.ToLookup(rule => rule.Host, StringComparer.Ordinal);
        WorkloadEntries = workloadEntries;
        _tcpListeners = new Lazy<TcpListenerIndex>(() => new TcpListenerIndex(Services));
        _aliases = new Lazy<ILookup<string, MeshService>>(() => Services
            .Where(service => service.ExternalName is not null)
            .ToLookup(service => service.ExternalName!, StringComparer.Ordinal));
        _addresses = new Lazy<AddressIndex>(() => new AddressIndex(Services));
        _selecting = new Lazy<ILookup<string, MeshService>>(() => Services
            .Where(service => service.Selector is { Count: > 0 })
            .OrderBy(service => service.Source, OldestFirst.Instance)
            .ToLookup(service => service.Namespace, StringComparer.Ordinal));
        _rulesByDestination = new Lazy<ILookup<string, VirtualServiceRule>>(() => _virtualServices.Values
            .SelectMany(rules => rules)
            .Distinct()
            .SelectMany(rule => rule.DestinationHosts, (rule, host) => (Rule: rule, Host: host))
            .ToLookup(pair => pair.Host, pair => pair.Rule, StringComparer.Ordinal));
    }

    public string ClusterDomain { get; }

    /// <summary>What holds for the whole mesh.</summary>
    public MeshSettings Mesh { get; init; } = MeshSettings.Default;

    /// <summary>The Secrets that hold certificates, keys or authorities.</summary>
    public IReadOnlyDictionary<(string Namespace, string Name), ConfigResource> Secrets { get; init; } = new Dictionary<(string Namespace, string Name), ConfigResource>();

    public ConfigResource? FindSecret(string @namespace, string name) => Secrets.GetValueOrDefault((@namespace, name));

    /// <summary>Whether a status of 503 is retried where a rule does not say what is.</summary>
    public bool Retry503 { get; init; }

    public IEnumerable<MeshService> Services => _services.Values.SelectMany(services => services);

    /// <summary>Ports that are not HTTP, by address.</summary>
    public TcpListenerIndex TcpListeners => _tcpListeners.Value;

    /// <summary>Services by address.</summary>
    public AddressIndex Addresses => _addresses.Value;

    public SidecarIndex Sidecars { get; init; } = SidecarIndex.Empty;

    /// <summary>Who may connect, and what they may ask for.</summary>
    public PolicyIndex Policies { get; init; } = PolicyIndex.Empty(MeshSettings.DefaultRootNamespace);

    /// <summary>What workloads tell of their requests, and to whom.</summary>
    public TelemetryIndex Telemetries { get; init; } = TelemetryIndex.Empty(MeshSettings.DefaultRootNamespace);

    /// <summary>What workloads are configured with beside what they are told by xDS.</summary>
    public ProxyConfigIndex ProxyConfigs { get; init; } = ProxyConfigIndex.Empty(MeshSettings.Default);

    /// <summary>Where the signals of listeners are kept from one index to the next.</summary>
    public ListenerSignalsPool SignalsPool { get; init; } = new();

    /// <summary>The services that a workload is part of, by its labels, the oldest first.</summary>
    public IEnumerable<MeshService> ServicesSelecting(string @namespace, IReadOnlyDictionary<string, string> labels)
        => _selecting.Value[@namespace].Where(service => service.Selector!.All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value));

    /// <summary>Services that are another name of a host (<c>ExternalName</c>).</summary>
    public IEnumerable<MeshService> AliasesOf(string host) => _aliases.Value[host];

    /// <summary>The hosts that services have.</summary>
    public IEnumerable<string> Hosts => _services.Keys;

    public IEnumerable<string> VirtualServiceHosts => _virtualServices.Keys;

    public IReadOnlyDictionary<(string Namespace, string Host), HostDestinationRules> DestinationRules => _destinationRules;

    public IReadOnlyList<WorkloadInstance> WorkloadEntries { get; }

    /// <summary>What happens to hosts that a client knows no service of: what its Sidecar says, else the mesh.</summary>
    public OutboundTraffic OutboundTrafficOf(Proxy proxy)
        => ScopeOf(proxy).OutboundTrafficPolicy is { Policy: var policy } ? OutboundTraffic.Of(policy) : Mesh.OutboundTraffic;

    /// <summary>What is told of a workload's requests at one end; the same object as long as it comes out the same.</summary>
    public ListenerSignals SignalsOf(Proxy proxy, WorkloadMode mode)
    {
        if (_signals.Count >= MaxSignals)
        {
            _signals.Clear();
        }

        return _signals.GetOrAdd(
            (proxy.SignalsKey, mode),
            static (key, arguments) => arguments.Config.SignalsPool.Keep(SignalTranslator.Translate(arguments.Proxy, arguments.Config, key.Mode)),
            (Config: this, Proxy: proxy));
    }

    /// <summary>What a client sees of the mesh.</summary>
    public ClientScope ScopeOf(Proxy proxy)
    {
        var selecting = Sidecars.FindSelecting(proxy.Namespace, proxy.Labels);
        return _scopes.GetOrAdd(
            (proxy.Namespace, selecting),
            static (key, config) => new ClientScope(config, key.Namespace, config.Sidecars.ChainOf(key.Namespace, key.Selecting)),
            this);
    }

    /// <summary>What is exported to a namespace, whatever the Sidecars of its workloads let in.</summary>
    public ClientScope ExportedTo(string @namespace)
        => _exported.GetOrAdd(@namespace, static (name, config) => new ClientScope(config, name, []), this);

    /// <summary>The service of exactly this host that is exported to <paramref name="proxyNamespace"/>: its own before others.</summary>
    public MeshService? FindService(string proxyNamespace, string host) => ExportedTo(proxyNamespace).FindService(host);

    public IReadOnlyList<MeshService> ServicesOf(string host) => _services.TryGetValue(host, out var services) ? services : [];

    /// <summary>The VirtualServices of exactly this host, the oldest first.</summary>
    public IReadOnlyList<VirtualServiceRule> VirtualServicesOf(string host) => _virtualServices.TryGetValue(host, out var rules) ? rules : [];

    /// <summary>The VirtualService that governs a host, of those exported to a namespace: the most specific host wins, then the oldest.</summary>
    public VirtualServiceRule? FindVirtualService(string proxyNamespace, string host) => ExportedTo(proxyNamespace).FindVirtualService(host, 0);

    /// <summary>The VirtualServices that lead somewhere.</summary>
    public IEnumerable<VirtualServiceRule> RulesLeadingTo(string host) => _rulesByDestination.Value[host];

    /// <summary>The merged DestinationRule of a service for a client: the client's namespace, then the service's, then the root's.</summary>
    /// <param name="proxyNamespace">The client's namespace.</param>
    /// <param name="service">The service.</param>
    /// <remarks>In the root namespace what it keeps to itself comes first: its rules for everyone must not displace a service's own.</remarks>
    /// <param name="proxyLabels">The client's labels, which rules with a <c>workloadSelector</c> ask for; without them such rules are passed over.</param>
    public DestinationRuleSet? FindDestinationRule(string proxyNamespace, MeshService service, IReadOnlyDictionary<string, string>? proxyLabels = null)
        => FindDestinationRule(proxyNamespace, proxyNamespace, service.Host, proxyLabels, privateOnly: proxyNamespace == Mesh.RootNamespace)
            ?? FindDestinationRule(service.Namespace, proxyNamespace, service.Host, proxyLabels)
            ?? FindDestinationRule(Mesh.RootNamespace, proxyNamespace, service.Host, proxyLabels);

    /// <summary>Whether a rule that asks for labels defines a subset for some clients of a namespace.</summary>
    public bool IsSubsetForSome(string proxyNamespace, MeshService service, string subset)
        => Hostname.Covering(service.Host).Any(key => _destinationRules.TryGetValue((proxyNamespace, key), out var rules)
            && rules.Rules.Any(rule => rule.Spec.WorkloadSelector is not null && rule.Spec.Subsets.Any(own => own.Name == subset)));

    /// <summary>The names of all subsets that any namespace defines for a host.</summary>
    public IEnumerable<string> SubsetNamesOf(string host)
        => Hostname.Covering(host).SelectMany(key => _destinationRulesByHost[key]).SelectMany(rule => rule.SubsetNames).Distinct();

    /// <summary>Finds what a client of a namespace means by an authority, of what is exported to it.</summary>
    public HostTarget? Resolve(string proxyNamespace, string authority) => ExportedTo(proxyNamespace).Resolve(authority);

    private DestinationRuleSet? FindDestinationRule(
        string ruleNamespace,
        string proxyNamespace,
        string host,
        IReadOnlyDictionary<string, string>? proxyLabels,
        bool privateOnly = false)
    {
        foreach (var key in Hostname.Covering(host))
        {
            if (_destinationRules.TryGetValue((ruleNamespace, key), out var rules) && rules.For(proxyNamespace, proxyLabels, privateOnly) is { } rule)
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>An index of nothing.</summary>
    public static ConfigIndex Empty(string clusterDomain) => new(clusterDomain, [], [], [], []);
}
