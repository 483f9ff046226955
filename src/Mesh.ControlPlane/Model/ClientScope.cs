using System.Net;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// What clients of one namespace see of the mesh: what is exported to their namespace, and of that, where they are under a Sidecar, what its
/// <c>egress</c> lets in. What they do not see does not exist for them.
/// </summary>
internal sealed class ClientScope
{
    private const int MaxAliases = 8;

    private readonly ConfigIndex _config;
    private readonly IReadOnlyList<EgressListener>? _egress;

    /// <param name="config">The documents.</param>
    /// <param name="namespace">The clients' namespace.</param>
    /// <param name="sidecars">The Sidecars that they are under, the nearest first.</param>
    public ClientScope(ConfigIndex config, string @namespace, IReadOnlyList<SidecarRule> sidecars)
    {
        _config = config;
        Namespace = @namespace;
        Sidecars = sidecars;
        Variant = sidecars is [{ Selector: not null } selecting, ..] ? selecting.Source.Name : "";
        _egress = sidecars.FirstOrDefault(sidecar => sidecar.Egress.Count > 0)?.Egress;
    }

    public string Namespace { get; }

    /// <summary>Tells apart what clients of one namespace see by their labels; empty for those that no Sidecar selects.</summary>
    public string Variant { get; }

    /// <summary>The Sidecars that they are under, the nearest first; empty: none.</summary>
    public IReadOnlyList<SidecarRule> Sidecars { get; }

    /// <summary>What their Sidecar says of hosts that they do not know, and which it is; <see langword="null"/>: the mesh's own policy.</summary>
    public (SidecarRule Sidecar, OutboundTrafficPolicy Policy)? OutboundTrafficPolicy
        => Sidecars.FirstOrDefault(sidecar => sidecar.Spec.OutboundTrafficPolicy is not null) is { } sidecar ? (sidecar, sidecar.Spec.OutboundTrafficPolicy) : null;

    /// <summary>The service of exactly this host, with the ports of it that may be called: one of the own namespace before others.</summary>
    public MeshService? FindService(string host) => Choose(_config.ServicesOf(host), service => _egress is null ? service : Narrowed(service));

    /// <summary>Another name of a host that the mesh knows means that host, with its ports and rules; names of names are followed a few times.</summary>
    public MeshService Meant(MeshService service)
    {
        for (var i = 0; i < MaxAliases && service.ExternalName is { } name && FindService(name) is { } target; i++)
        {
            service = target;
        }

        return service;
    }

    /// <summary>The other names of a host that may be called.</summary>
    public IEnumerable<MeshService> AliasesOf(MeshService service) => AliasesOf(service.Host, MaxAliases).Where(alias => alias.Host != service.Host).Distinct();

    /// <summary>The service that a route may lead to: one that may be called, or one that some VirtualService leads to.</summary>
    /// <remarks>As in Istio what a visible rule names need not be imported by itself.</remarks>
    public MeshService? FindDestination(string host)
        => FindService(host) ?? (_egress is not null && _config.RulesLeadingTo(host).Any(IsSeen) ? Choose(_config.ServicesOf(host), service => service) : null);

    /// <summary>The VirtualService that governs a host: the most specific host wins, then the oldest.</summary>
    public VirtualServiceRule? FindVirtualService(string host, uint port)
    {
        foreach (var key in Hostname.Covering(host))
        {
            foreach (var rule in _config.VirtualServicesOf(key))
            {
                if (IsSeen(rule, port))
                {
                    return rule;
                }
            }
        }

        return null;
    }

    /// <summary>The VirtualService for requests to a host: of one that nothing else declares only a rule that names it in full.</summary>
    public VirtualServiceRule? FindRule(MeshService? service, string host, uint port)
        => FindVirtualService(host, port) is { } rule && (service is not null || (!Hostname.IsWildcard(host) && rule.Hosts.Contains(host))) ? rule : null;

    /// <summary>All VirtualServices that cover a host, the oldest first: unlike HTTP routes, those of connections add up.</summary>
    public IReadOnlyList<VirtualServiceRule> FindVirtualServices(string host, uint port)
    {
        var rules = Hostname.Covering(host).SelectMany(_config.VirtualServicesOf).Where(rule => IsSeen(rule, port)).Distinct().ToList();
        rules.Sort((left, right) => OldestFirst.Instance.Compare(left.Source, right.Source));
        return rules;
    }

    /// <inheritdoc cref="ConfigIndex.FindDestinationRule(string, MeshService, IReadOnlyDictionary{string, string}?)"/>
    public DestinationRuleSet? FindDestinationRule(MeshService service, IReadOnlyDictionary<string, string>? labels = null)
        => _config.FindDestinationRule(Namespace, service, labels);

    /// <summary>Finds what a client means by <c>reviews</c>, <c>reviews.default:9080</c>, <c>api.example.com:443</c> or <c>10.9.0.7:80</c>.</summary>
    public HostTarget? Resolve(string authority)
    {
        if (!Authority.TryParse(authority, out var host, out var port))
        {
            return null;
        }

        var isNamed = false;
        foreach (var name in CandidatesOf(host))
        {
            if (FindService(name) is { } service)
            {
                isNamed = true;
                if (TargetOf(Meant(service), port) is { } target)
                {
                    return target;
                }
            }
        }

        // A VirtualService may rule over a host that no registry knows: plain HTTP on port 80 only, as in Istio.
        if (!isNamed && port is null or HostTarget.RuleOnlyPort)
        {
            foreach (var name in CandidatesOf(host))
            {
                if (_config.VirtualServicesOf(name).Any(rule => IsSeen(rule, HostTarget.RuleOnlyPort)))
                {
                    return new HostTarget(name, HostTarget.RuleOnlyPort);
                }
            }
        }

        if (IPAddress.TryParse(host, out var address))
        {
            return ByAddress(address, port);
        }

        // The longest suffix that has the port, as among the virtual hosts of a port.
        foreach (var name in Hostname.Covering(host).Skip(1))
        {
            if (FindService(name) is { } service && TargetOf(service, port) is { } target)
            {
                return target;
            }
        }

        return null;
    }

    private IEnumerable<MeshService> AliasesOf(string host, int depth)
        => depth == 0
            ? []
            : _config.AliasesOf(host)
                .Where(alias => ReferenceEquals(FindService(alias.Host)?.Whole, alias))
                .SelectMany(alias => AliasesOf(alias.Host, depth - 1).Prepend(alias));

    private HostTarget? ByAddress(IPAddress address, uint? port)
    {
        foreach (var service in _config.Addresses.Find(address))
        {
            if (FindService(service.Host) is { } seen && ReferenceEquals(seen.Whole, service) && TargetOf(seen, port) is { } target)
            {
                return target;
            }
        }

        return null;
    }

    private static HostTarget? TargetOf(MeshService service, uint? port)
        => (port is null ? service.DefaultPort() : service.FindPort(port.Value)) is { } own && own.Protocol != PortProtocol.Udp
            ? new HostTarget(service.Host, own.Number)
            : null;

    private IEnumerable<string> CandidatesOf(string host)
    {
        if (!host.Contains('.', StringComparison.Ordinal))
        {
            yield return Hostname.OfService(host, Namespace, _config.ClusterDomain);
        }

        // An IPv6 address stands in brackets where a port may follow.
        yield return host.TrimStart('[').TrimEnd(']');
        if (host.EndsWith(".svc", StringComparison.Ordinal))
        {
            yield return $"{host}.{_config.ClusterDomain}";
        }
        else if (host.Count(c => c == '.') == 1)
        {
            yield return $"{host}.svc.{_config.ClusterDomain}";
        }
    }

    private MeshService? Choose(IReadOnlyList<MeshService> services, Func<MeshService, MeshService?> see)
    {
        MeshService? found = null;
        foreach (var service in services)
        {
            if (service.Visibility.Includes(Namespace) && see(service) is { } seen)
            {
                if (service.Namespace == Namespace)
                {
                    return seen;
                }

                found ??= seen;
            }
        }

        return found;
    }

    /// <summary>The service with those of its ports that are let in, or <see langword="null"/> when none is.</summary>
    private MeshService? Narrowed(MeshService service)
    {
        var ports = service.Ports.Where(port => ListenersOf(port.Number).Any(listener => listener.Imports(service, Namespace))).ToArray();
        return ports.Length == service.Ports.Count && ports.Length > 0 ? service : ports.Length == 0 ? null : service.With(ports);
    }

    private bool IsSeen(VirtualServiceRule rule, uint port)
        => rule.Visibility.Includes(Namespace) && (_egress is null || ListenersOf(port).Any(listener => listener.Imports(rule, Namespace)));

    private bool IsSeen(VirtualServiceRule rule)
        => rule.Visibility.Includes(Namespace) && (_egress is null || _egress.Any(listener => listener.Imports(rule, Namespace)));

    /// <summary>The hosts of a port are those of the entry for that port; where there is none, those of the entry for all ports.</summary>
    private IEnumerable<EgressListener> ListenersOf(uint port)
    {
        var own = _egress!.Any(listener => listener.Port == port);
        return _egress!.Where(listener => listener.Port == (own ? port : 0));
    }
}
