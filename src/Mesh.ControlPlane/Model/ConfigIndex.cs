namespace Mesh.ControlPlane.Model;

/// <summary>The documents, indexed by what asks for them; immutable. Parts whose documents are unchanged are shared with the index before.</summary>
internal sealed class ConfigIndex
{
    private readonly Dictionary<string, List<MeshService>> _services;
    private readonly Dictionary<string, List<VirtualServiceRule>> _virtualServices;
    private readonly Dictionary<(string Namespace, string Host), HostDestinationRules> _destinationRules;
    private readonly ILookup<string, HostDestinationRules> _destinationRulesByHost;
    private readonly Lazy<TcpListenerIndex> _tcpListeners;

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
    }

    /// <summary>Rules in this namespace serve clients everywhere (Istio's root namespace).</summary>
    public const string RootNamespace = "istio-system";

    public string ClusterDomain { get; }

    /// <summary>Whether a status of 503 is retried where a rule does not say what is.</summary>
    public bool Retry503 { get; init; }

    public IEnumerable<MeshService> Services => _services.Values.SelectMany(services => services);

    /// <summary>Ports that are not HTTP, by address.</summary>
    public TcpListenerIndex TcpListeners => _tcpListeners.Value;

    public IEnumerable<string> VirtualServiceHosts => _virtualServices.Keys;

    public IReadOnlyDictionary<(string Namespace, string Host), HostDestinationRules> DestinationRules => _destinationRules;

    public IReadOnlyList<WorkloadInstance> WorkloadEntries { get; }

    /// <summary>The service of exactly this host that a client in <paramref name="proxyNamespace"/> sees: its own namespace's before others.</summary>
    public MeshService? FindService(string proxyNamespace, string host)
    {
        MeshService? found = null;
        foreach (var service in ServicesOf(host))
        {
            if (service.Visibility.Includes(proxyNamespace))
            {
                if (service.Namespace == proxyNamespace)
                {
                    return service;
                }

                found ??= service;
            }
        }

        return found;
    }

    public IReadOnlyList<MeshService> ServicesOf(string host) => _services.TryGetValue(host, out var services) ? services : [];

    /// <summary>The VirtualServices of exactly this host, the oldest first.</summary>
    public IReadOnlyList<VirtualServiceRule> VirtualServicesOf(string host) => _virtualServices.TryGetValue(host, out var rules) ? rules : [];

    /// <summary>The VirtualService that governs a host for clients of a namespace: the most specific host wins, then the oldest.</summary>
    public VirtualServiceRule? FindVirtualService(string proxyNamespace, string host)
    {
        foreach (var key in Hostname.Covering(host))
        {
            foreach (var rule in VirtualServicesOf(key))
            {
                if (rule.Visibility.Includes(proxyNamespace))
                {
                    return rule;
                }
            }
        }

        return null;
    }

    /// <summary>All VirtualServices that cover a host for clients of a namespace, the oldest first: unlike HTTP routes, those of connections add up.</summary>
    public IReadOnlyList<VirtualServiceRule> FindVirtualServices(string proxyNamespace, string host)
    {
        var rules = Hostname.Covering(host).SelectMany(VirtualServicesOf).Where(rule => rule.Visibility.Includes(proxyNamespace)).Distinct().ToList();
        rules.Sort((left, right) => OldestFirst.Instance.Compare(left.Source, right.Source));
        return rules;
    }

    /// <summary>The merged DestinationRule of a service for a client: the client's namespace, then the service's, then the root's.</summary>
    /// <param name="proxyNamespace">The client's namespace.</param>
    /// <param name="service">The service.</param>
    /// <remarks>In the root namespace what it keeps to itself comes first: its rules for everyone must not displace a service's own.</remarks>
    /// <param name="proxyLabels">The client's labels, which rules with a <c>workloadSelector</c> ask for; without them such rules are passed over.</param>
    public DestinationRuleSet? FindDestinationRule(string proxyNamespace, MeshService service, IReadOnlyDictionary<string, string>? proxyLabels = null)
        => FindDestinationRule(proxyNamespace, proxyNamespace, service.Host, proxyLabels, privateOnly: proxyNamespace == RootNamespace)
            ?? FindDestinationRule(service.Namespace, proxyNamespace, service.Host, proxyLabels)
            ?? FindDestinationRule(RootNamespace, proxyNamespace, service.Host, proxyLabels);

    /// <summary>Whether a rule that asks for labels defines a subset for some clients of a namespace.</summary>
    public bool IsSubsetForSome(string proxyNamespace, MeshService service, string subset)
        => Hostname.Covering(service.Host).Any(key => _destinationRules.TryGetValue((proxyNamespace, key), out var rules)
            && rules.Rules.Any(rule => rule.Spec.WorkloadSelector is not null && rule.Spec.Subsets.Any(own => own.Name == subset)));

    /// <summary>The names of all subsets that any namespace defines for a host.</summary>
    public IEnumerable<string> SubsetNamesOf(string host)
        => Hostname.Covering(host).SelectMany(key => _destinationRulesByHost[key]).SelectMany(rule => rule.SubsetNames).Distinct();

    /// <summary>Finds what a client means by <c>reviews</c>, <c>reviews.default:9080</c> or <c>api.example.com:443</c>.</summary>
    public HostTarget? Resolve(string proxyNamespace, string authority)
    {
        if (!Authority.TryParse(authority, out var host, out var port))
        {
            return null;
        }

        MeshService? service = null;
        string? ruleHost = null;
        foreach (var name in CandidatesOf(proxyNamespace, host))
        {
            service = FindService(proxyNamespace, name);
            if (service is not null)
            {
                break;
            }

            if (VirtualServicesOf(name).Any(rule => rule.Visibility.Includes(proxyNamespace)))
            {
                ruleHost = name;
                break;
            }
        }

        if (service is null && ruleHost is null)
        {
            foreach (var name in Hostname.Covering(host).Skip(1))
            {
                service = FindService(proxyNamespace, name);
                if (service is not null)
                {
                    break;
                }
            }
        }

        if (service is not null)
        {
            var servicePort = port is null ? service.DefaultPort() : service.FindPort(port.Value);
            return servicePort is null || servicePort.Protocol == PortProtocol.Udp ? null : new HostTarget(service.Host, servicePort.Number);
        }

        // A VirtualService may rule over a host that no registry knows: plain HTTP on port 80 only, as in Istio.
        return ruleHost is not null && port is null or HostTarget.RuleOnlyPort ? new HostTarget(ruleHost!, HostTarget.RuleOnlyPort) : null;
    }

    private IEnumerable<string> CandidatesOf(string proxyNamespace, string host)
    {
        if (!host.Contains('.', StringComparison.Ordinal))
        {
            yield return Hostname.OfService(host, proxyNamespace, ClusterDomain);
        }

        yield return host;
        if (host.EndsWith(".svc", StringComparison.Ordinal))
        {
            yield return $"{host}.{ClusterDomain}";
        }
        else if (host.Count(c => c == '.') == 1)
        {
            yield return $"{host}.svc.{ClusterDomain}";
        }
    }

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
