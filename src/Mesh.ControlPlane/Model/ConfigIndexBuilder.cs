using Istio.Networking.V1Alpha3;
using Istio.Networking.V1Beta1;
using Istio.Security.V1Beta1;
using Istio.Telemetry.V1Alpha1;
using Istio.Type.V1Beta1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Issuers;
using Mesh.ControlPlane.Model.Policies;
using Mesh.ControlPlane.Model.Signals;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// Builds one index after the other. What an unchanged document has become is carried over as the same instance: everything
/// downstream asks "is it the same object?" to know whether a resource must be generated again.
/// </summary>
internal sealed class ConfigIndexBuilder(string clusterDomain, bool retry503 = false, OpenIdDiscovery? issuers = null)
{
    private readonly MeshSettingsSelector _mesh = new();
    private readonly SameHostServices _sameHost = new();
    private readonly ListenerSignalsPool _signals = new();
    private readonly PublishedKeys _publishedKeys = new(issuers);
    private RootVirtualServices _roots = new(clusterDomain, MeshSettings.Default);
    private MeshSettings _settings = MeshSettings.Default;
    private Dictionary<(string Kind, string Namespace, string Name), Built> _built = [];
    private Dictionary<ConfigResource, Built> _builtByInstance = [];
    private Dictionary<(string Namespace, string Host), HostDestinationRules> _destinationRules = [];
    private SidecarIndex _sidecars = SidecarIndex.Empty;
    private PolicyIndex _policies = PolicyIndex.Empty(MeshSettings.DefaultRootNamespace);
    private TelemetryIndex _telemetries = TelemetryIndex.Empty(MeshSettings.DefaultRootNamespace);
    private ProxyConfigIndex _proxyConfigs = ProxyConfigIndex.Empty(MeshSettings.Default);

    public ConfigIndex Build(ConfigSnapshot snapshot, ModelDiagnostics diagnostics)
    {
        var mesh = _mesh.Select(snapshot, diagnostics);
        if (!ReferenceEquals(mesh, _settings))
        {
            // What documents become depends on it.
            _settings = mesh;
            _roots = new RootVirtualServices(clusterDomain, mesh);
            _built = [];
            _builtByInstance = [];
            _destinationRules = [];
            _sidecars = SidecarIndex.Empty;
            _policies = PolicyIndex.Empty(mesh.RootNamespace);
            _telemetries = TelemetryIndex.Empty(mesh.RootNamespace);
            _proxyConfigs = ProxyConfigIndex.Empty(mesh);
        }

        var built = new Dictionary<(string Kind, string Namespace, string Name), Built>(snapshot.Resources.Count);
        var builtByInstance = new Dictionary<ConfigResource, Built>(snapshot.Resources.Count, ReferenceEqualityComparer.Instance);
        var services = new Dictionary<string, List<MeshService>>(StringComparer.Ordinal);
        var virtualServices = new Dictionary<string, List<VirtualServiceRule>>(StringComparer.Ordinal);
        var rulesByHost = new Dictionary<(string Namespace, string Host), List<(ConfigResource Source, DestinationRule Spec)>>();
        var workloadEntries = new List<WorkloadInstance>();
        var rules = new List<VirtualServiceRule>();
        var sidecars = new List<SidecarRule>();
        var secrets = new Dictionary<(string Namespace, string Name), ConfigResource>();
        var ruleDocuments = new List<(ConfigResource Now, ConfigResource Kept)>();

        foreach (var resource in snapshot.Resources)
        {
            // The store hands out unchanged documents as the same objects.
            if (!_builtByInstance.TryGetValue(resource, out var item))
            {
                item = Read(resource);
            }

            built[item.Key] = item;
            builtByInstance[resource] = item;
            foreach (var (severity, code, path, message) in item.Findings)
            {
                diagnostics.Add(severity, resource, code, path, message);
            }

            foreach (var service in item.Services)
            {
                Of(services, service.Host).Add(service);
            }

            if (item.VirtualService is { } rule)
            {
                rules.Add(rule);
            }

            if (resource.Spec is VirtualService)
            {
                ruleDocuments.Add((resource, item.Resource));
            }

            if (item.DestinationRule is { } destinationRule)
            {
                var host = Hostname.Resolve(destinationRule.Host, resource.Namespace, clusterDomain);
                Of(rulesByHost, (resource.Namespace, host)).Add((item.Resource, destinationRule));
            }

            if (resource.Spec is Secret)
            {
                secrets[(resource.Namespace, resource.Name)] = item.Resource;
            }

            if (item.Workload is { } workload)
            {
                workloadEntries.Add(workload);
            }

            if (item.Sidecar is { } sidecar)
            {
                sidecars.Add(sidecar);
            }
        }

        _sameHost.Settle(services, diagnostics);
        rules.AddRange(_roots.Complete(ruleDocuments, diagnostics));
        foreach (var rule in rules.Where(rule => rule.AppliesToMesh))
        {
            foreach (var host in rule.Hosts)
            {
                Of(virtualServices, host).Add(rule);
            }
        }

        foreach (var sameHost in virtualServices.Values)
        {
            SortByAge(sameHost, rule => rule.Source);
        }

        var destinationRules = new Dictionary<(string Namespace, string Host), HostDestinationRules>(rulesByHost.Count);
        foreach (var (key, sameHost) in rulesByHost)
        {
            SortByAge(sameHost, rule => rule.Source);
            destinationRules[key] = _destinationRules.TryGetValue(key, out var before) && SameRules(before, sameHost)
                ? before
                : new HostDestinationRules(key.Namespace, key.Host, sameHost, mesh.DestinationRuleExportTo);
        }

        _built = built;
        _builtByInstance = builtByInstance;
        _destinationRules = destinationRules;
        if (!_sidecars.Rules.ToHashSet().SetEquals(sidecars))
        {
            _sidecars = new SidecarIndex(sidecars, mesh.RootNamespace);
        }

        _policies = _policies.With(
            built.Values.Select(item => item.Policy).OfType<PolicyRule<PeerAuthentication>>(),
            _publishedKeys.Complete(built.Values.Select(item => item.Policy).OfType<PolicyRule<RequestAuthentication>>(), diagnostics),
            built.Values.Select(item => item.Policy).OfType<PolicyRule<AuthorizationPolicy>>());
        _telemetries = _telemetries.With(built.Values.Select(item => item.Policy).OfType<PolicyRule<Telemetry>>());
        _proxyConfigs = _proxyConfigs.With(built.Values.Select(item => item.Policy).OfType<PolicyRule<ProxyConfig>>());
        return new ConfigIndex(clusterDomain, services, virtualServices, destinationRules, workloadEntries)
        {
            Retry503 = retry503,
            Sidecars = _sidecars,
            Policies = _policies,
            Telemetries = _telemetries,
            ProxyConfigs = _proxyConfigs,
            SignalsPool = _signals,
            Mesh = mesh,
            Secrets = secrets,
        };
    }

    private static void SortByAge<T>(List<T> items, Func<T, ConfigResource> documentOf)
    {
        if (items.Count > 1)
        {
            items.Sort((left, right) => OldestFirst.Instance.Compare(documentOf(left), documentOf(right)));
        }
    }

    private static List<TValue> Of<TKey, TValue>(Dictionary<TKey, List<TValue>> lists, TKey key)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
        {
            lists[key] = list = [];
        }

        return list;
    }

    private static bool SameRules(HostDestinationRules before, List<(ConfigResource Source, DestinationRule Spec)> rules)
        => before.Rules.Count == rules.Count && before.Rules.Zip(rules).All(pair => ReferenceEquals(pair.First.Spec, pair.Second.Spec));

    private Built Read(ConfigResource resource)
    {
        var before = _built.GetValueOrDefault(resource.Key);
        if (before is not null && before.IsOf(resource))
        {
            return before;
        }

        var findings = new ModelDiagnostics();
        var item = new Built(resource);
        switch (resource.Spec)
        {
            case VirtualService spec when RootVirtualServices.IsRoot(spec) || RootVirtualServices.IsDelegate(spec):
                break;
            case VirtualService spec:
                item.VirtualService = new VirtualServiceRule(resource, spec, clusterDomain, _settings);
                break;
            case DestinationRule spec:
                item.DestinationRule = spec;
                break;
            case ServiceSpec spec:
                item.Services = KubernetesServiceReader.Services(resource, spec, clusterDomain, _settings, findings);
                break;
            case ServiceEntry spec:
                item.Services = ServiceEntryReader.Services(resource, spec, _settings, findings);
                break;
            case WorkloadEntry spec:
                item.Workload = ServiceEntryReader.Instance(resource, spec, findings);
                break;
            case Sidecar spec:
                item.Sidecar = new SidecarRule(resource, spec);
                break;
            case PeerAuthentication spec:
                item.Policy = new PolicyRule<PeerAuthentication>(resource, spec, spec.Selector, []);
                break;
            case RequestAuthentication spec:
                item.Policy = new PolicyRule<RequestAuthentication>(resource, spec, spec.Selector, TargetsOf(spec.TargetRef, spec.TargetRefs));
                break;
            case AuthorizationPolicy spec:
                item.Policy = new PolicyRule<AuthorizationPolicy>(resource, spec, spec.Selector, TargetsOf(spec.TargetRef, spec.TargetRefs));
                break;
            case Telemetry spec:
                item.Policy = new PolicyRule<Telemetry>(resource, spec, spec.Selector, TargetsOf(spec.TargetRef, spec.TargetRefs));
                break;
            case ProxyConfig spec:
                item.Policy = new PolicyRule<ProxyConfig>(resource, spec, spec.Selector, []);
                break;
        }

        item.Findings = [.. findings.Found.Select(found => (found.Severity, found.Code, found.Path, found.Message))];
        return item;
    }

    /// <summary>One target is the older way to write a list of one.</summary>
    private static IReadOnlyList<PolicyTargetReference> TargetsOf(PolicyTargetReference? target, IReadOnlyList<PolicyTargetReference> targets)
        => targets.Count == 0 && target is not null ? [target] : targets;

    /// <summary>What one document has become.</summary>
    private sealed class Built(ConfigResource resource)
    {
        public ConfigResource Resource { get; } = resource;

        public (string Kind, string Namespace, string Name) Key { get; } = resource.Key;

        public IReadOnlyList<MeshService> Services { get; set; } = [];

        public VirtualServiceRule? VirtualService { get; set; }

        public DestinationRule? DestinationRule { get; set; }

        public WorkloadInstance? Workload { get; set; }

        public SidecarRule? Sidecar { get; set; }

        /// <summary>A policy of one of the security kinds, a Telemetry or a ProxyConfig: what is for some workloads.</summary>
        public object? Policy { get; set; }

        public IReadOnlyList<(ConfigSeverity Severity, string Code, string Path, string Message)> Findings { get; set; } = [];

        public bool IsOf(ConfigResource other)
            => ReferenceEquals(Resource, other)
                || (Resource.Created == other.Created && Resource.Spec.Equals(other.Spec)
                    && SameEntries(Resource.Labels, other.Labels) && SameEntries(Resource.Annotations, other.Annotations));

        private static bool SameEntries(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right)
            => left.Count == right.Count && left.All(entry => right.TryGetValue(entry.Key, out var value) && value == entry.Value);
    }
}
