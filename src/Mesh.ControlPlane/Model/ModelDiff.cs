using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Model;

/// <summary>Which resources two models may disagree about, by name: the rest of the mesh is not asked again.</summary>
internal sealed class ModelDiff
{
    private static readonly string[] SharedAddresses = ["0.0.0.0", "::"];
    private static readonly string[] OwnHost = ["127.0.0.1", "::1"];

    private static readonly AdsChange Everything = new(new Dictionary<string, IReadOnlySet<string>?>(AdsChange.Everything.ByType) { [TypeUrls.Secret] = null });

    private readonly ConfigIndex _before;
    private readonly ConfigIndex _after;
    // Listeners are named as clients wrote the authority, in any case.
    private readonly HashSet<string> _listeners = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _routes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _clusters = new(StringComparer.Ordinal);
    private readonly HashSet<string> _endpoints = new(StringComparer.Ordinal);
    private readonly HashSet<string> _secrets = new(StringComparer.Ordinal);
    private bool _anyListener;

    private ModelDiff(ConfigIndex before, ConfigIndex after)
    {
        _before = before;
        _after = after;
    }

    /// <summary>Compares two models; <see langword="null"/> when no resource can differ.</summary>
    /// <param name="before">The documents before.</param>
    /// <param name="after">The documents now.</param>
    /// <param name="changedEndpoints">The keys of the services whose endpoints changed.</param>
    /// <param name="changedAccounts">Those of them whose endpoints run as others than before.</param>
    public static AdsChange? Between(ConfigIndex before, ConfigIndex after, IReadOnlySet<string> changedEndpoints, IReadOnlySet<string> changedAccounts)
    {
        if (!ReferenceEquals(before.Mesh, after.Mesh))
        {
            // It reaches into every resource; what comes out the same is not sent again.
            return Everything;
        }

        var diff = new ModelDiff(before, after);
        if (!ReferenceEquals(before, after))
        {
            diff.CompareServices();
            diff.CompareVirtualServices();
            diff.CompareDestinationRules();
            diff.CompareSecrets();
            diff.ComparePeerAuthentications();
        }

        foreach (var key in changedEndpoints)
        {
            diff.AddEndpoints(HostOf(key));
        }

        foreach (var key in changedAccounts)
        {
            // Whom clients believe stands in the cluster.
            diff._clusters.UnionWith(diff.ClusterNamesOf(HostOf(key)));
        }

        return diff.ToChange();
    }

    private void CompareServices()
    {
        var changed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var host in _before.Services.Concat(_after.Services).Select(service => service.Host).Distinct())
        {
            if (!_before.ServicesOf(host).SequenceEqual(_after.ServicesOf(host)))
            {
                changed.Add(host);
                AddListenersOf(host);
                AddRoutes(host);
                AddClusters(host);
            }
        }

        if (changed.Count == 0)
        {
            return;
        }

        // The port of a destination that names none is the only one of its service.
        AddRoutesThatLeadTo(changed);
    }

    /// <summary>
    /// The listeners of a host and of its other names, each at the ports of all that it may mean; and the routes of what it is another name of, which
    /// are for it, too.
    /// </summary>
    private void AddListenersOf(string host)
    {
        var targets = Reachable(host, name => ServicesOf(name).Select(service => service.ExternalName).OfType<string>());
        var ports = targets.Append(host).SelectMany(PortsOf).Append(HostTarget.RuleOnlyPort).ToHashSet();
        AddListeners(host, ports);
        foreach (var alias in AliasesOf(host))
        {
            AddListeners(alias, ports.Concat(PortsOf(alias)));
        }

        foreach (var target in targets)
        {
            AddRoutes(target);
        }
    }

    private IReadOnlyCollection<string> AliasesOf(string host)
        => Reachable(host, name => _before.AliasesOf(name).Concat(_after.AliasesOf(name)).Select(alias => alias.Host));

    private IEnumerable<MeshService> ServicesOf(string host) => _before.ServicesOf(host).Concat(_after.ServicesOf(host));

    private static IReadOnlyCollection<string> Reachable(string host, Func<string, IEnumerable<string>> next)
    {
        var found = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { host };
        for (var ahead = new Queue<string>(next(host)); ahead.TryDequeue(out var name);)
        {
            if (seen.Add(name))
            {
                found.Add(name);
                foreach (var further in next(name))
                {
                    ahead.Enqueue(further);
                }
            }
        }

        return found;
    }

    private void AddRoutesThatLeadTo(HashSet<string> hosts)
    {
        // Those that lead there by another name as well.
        var destinations = hosts.Concat(hosts.SelectMany(AliasesOf)).ToHashSet(StringComparer.Ordinal);
        foreach (var host in _after.VirtualServiceHosts)
        {
            if (_after.VirtualServicesOf(host).Any(rule => rule.DestinationHosts.Any(destinations.Contains)))
            {
                AddRoutesCoveredBy(host);
            }
        }
    }

    private void CompareVirtualServices()
    {
        foreach (var host in _before.VirtualServiceHosts.Union(_after.VirtualServiceHosts))
        {
            if (!_before.VirtualServicesOf(host).SequenceEqual(_after.VirtualServicesOf(host)))
            {
                AddRoutesCoveredBy(host);
                if (!Hostname.IsWildcard(host))
                {
                    AddListeners(host, [HostTarget.RuleOnlyPort]);
                }

                if (_before.Sidecars.Rules.Count + _after.Sidecars.Rules.Count > 0)
                {
                    // What a rule leads to is let in with it.
                    foreach (var destination in _before.VirtualServicesOf(host).Concat(_after.VirtualServicesOf(host)).SelectMany(rule => rule.DestinationHosts))
                    {
                        AddClusters(destination);
                    }
                }
            }
        }
    }

    private void CompareDestinationRules()
    {
        var hashing = _before.DestinationRules.Values.Concat(_after.DestinationRules.Values)
            .Where(rule => rule.UsesConsistentHash)
            .Select(rule => rule.Host)
            .ToHashSet(StringComparer.Ordinal);
        var hashed = new HashSet<string>(StringComparer.Ordinal);
        var ruled = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in _before.DestinationRules.Keys.Union(_after.DestinationRules.Keys))
        {
            if (ReferenceEquals(_before.DestinationRules.GetValueOrDefault(key), _after.DestinationRules.GetValueOrDefault(key)))
            {
                continue;
            }

            foreach (var host in ServiceHostsCoveredBy(key.Host))
            {
                AddClusters(host);
                ruled.Add(host);
                // A rule that hashes nothing may still hide or uncover one of another namespace that does.
                if (hashing.Any(pattern => Hostname.Covers(pattern, host)) && hashed.Add(host))
                {
                    AddRoutes(host);
                }
            }
        }

        // What of a request is hashed is said on its route, and how long a connection may be idle on its listener.
        AddRoutesThatLeadTo(hashed);
        if (ruled.Count == 0)
        {
            return;
        }

        foreach (var host in _after.Services.Select(service => service.Host).Distinct())
        {
            // Whether TLS begins at a destination decides which routes a port has where TLS is spoken.
            if (Hostname.Covering(host).SelectMany(_after.VirtualServicesOf).Any(rule => rule.Spec.Http.Count > 0 && rule.DestinationHosts.Any(ruled.Contains)))
            {
                AddRoutes(host);
            }

            if (ruled.Contains(host) || Hostname.Covering(host).SelectMany(_after.VirtualServicesOf).Any(rule => rule.IsOfTcp && rule.DestinationHosts.Any(ruled.Contains)))
            {
                AddTcpListeners(host);
            }
        }
    }

    /// <summary>Clients of the namespace may have named it with the namespace or without, and its authorities by a name of their own.</summary>
    private void CompareSecrets()
    {
        foreach (var key in _before.Secrets.Keys.Union(_after.Secrets.Keys))
        {
            if (!ReferenceEquals(_before.Secrets.GetValueOrDefault(key), _after.Secrets.GetValueOrDefault(key)))
            {
                foreach (var name in new[] { key.Name, $"{key.Namespace}/{key.Name}" })
                {
                    _secrets.Add(SecretName.OfCertificate(name).ToString());
                    _secrets.Add(SecretName.OfAuthority(name).ToString());
                }
            }
        }
    }

    /// <summary>Whether clients speak mutual TLS with a service, and with which of its endpoints; the servers are told by PolicyChange.</summary>
    private void ComparePeerAuthentications()
    {
        var changed = _after.Policies.PeerAuthentications.NamespacesOtherThan(_before.Policies.PeerAuthentications);
        foreach (var service in changed.Count == 0 ? [] : _after.Services.Where(service => changed.Contains(service.Namespace) || changed.Contains(_after.Mesh.RootNamespace)))
        {
            AddClusters(service.Host);
        }
    }

    private static string HostOf(string key) => key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private IEnumerable<string> ServiceHostsCoveredBy(string pattern)
        => Hostname.IsWildcard(pattern)
            ? _after.Services.Select(service => service.Host).Where(host => Hostname.Covers(pattern, host)).Distinct()
            : [pattern];

    private void AddRoutesCoveredBy(string pattern)
    {
        foreach (var host in ServiceHostsCoveredBy(pattern))
        {
            AddRoutes(host);
        }
    }

    private void AddListeners(string host, IEnumerable<uint> ports)
    {
        if (Hostname.IsWildcard(host))
        {
            _anyListener = true;
            return;
        }

        var addresses = _before.ServicesOf(host).Concat(_after.ServicesOf(host)).SelectMany(service => service.Addresses).ToHashSet();
        _anyListener |= addresses.Any(address => address.Contains('/', StringComparison.Ordinal));
        foreach (var port in ports)
        {
            var suffix = $":{port}";
            foreach (var name in HostAliases.Of(host, port, null, _after.ClusterDomain).Concat(addresses.SelectMany(address => HostAliases.OfAddress(address, port))))
            {
                _listeners.Add(name);
                if (name.EndsWith(suffix, StringComparison.Ordinal))
                {
                    _listeners.Add(ConnectionListenerGenerator.Scheme + name);
                }
            }
        }
    }

    private void AddRoutes(string host)
    {
        AddTcpListeners(host);
        foreach (var port in PortsOf(host).Append(HostTarget.RuleOnlyPort))
        {
            _routes.Add(new SubsetKey(port, "", host).ToString());
        }
    }

    /// <summary>Whatever says where a connection to one of a host's addresses goes has changed.</summary>
    private void AddTcpListeners(string host)
    {
        AddConnectionListeners(host);
        foreach (var service in _before.ServicesOf(host).Concat(_after.ServicesOf(host)))
        {
            foreach (var port in service.Ports.Where(port => port.Protocol.IsTcp()))
            {
                foreach (var (address, _) in TcpListenerIndex.PlacesOf(service))
                {
                    foreach (var bind in address.Length > 0 ? [address, .. OwnHost] : SharedAddresses.Concat(OwnHost))
                    {
                        _listeners.Add(new TcpListenerKey(bind, port.Number).ToString());
                    }
                }
            }
        }
    }

    /// <summary>The same by the host's names, as applications ask whose mesh is in their process.</summary>
    private void AddConnectionListeners(string host)
    {
        var services = _before.ServicesOf(host).Concat(_after.ServicesOf(host)).ToList();
        if (services.Count == 0)
        {
            return;
        }

        var addresses = services.SelectMany(service => service.Addresses).ToHashSet();
        if (Hostname.IsWildcard(host) || addresses.Any(address => address.Contains('/', StringComparison.Ordinal)))
        {
            _anyListener = true;
            return;
        }

        foreach (var port in services.SelectMany(service => service.Ports).Select(port => port.Number).Distinct())
        {
            var suffix = $":{port}";
            _listeners.UnionWith(HostAliases.Of(host, port, null, _after.ClusterDomain)
                .Concat(addresses.SelectMany(address => HostAliases.OfAddress(address, port)))
                .Where(alias => alias.EndsWith(suffix, StringComparison.Ordinal))
                .Select(alias => ConnectionListenerGenerator.Scheme + alias));
        }
    }

    private void AddClusters(string host)
    {
        foreach (var name in ClusterNamesOf(host))
        {
            _clusters.Add(name);
            _endpoints.Add(name);
        }
    }

    private void AddEndpoints(string host)
    {
        _endpoints.UnionWith(ClusterNamesOf(host));
        if (_after.ServicesOf(host).Any(service => service.IsResolvedByDns))
        {
            // The names that such a cluster resolves stand in the cluster itself.
            _clusters.UnionWith(ClusterNamesOf(host));
        }
    }

    private IEnumerable<string> ClusterNamesOf(string host)
    {
        var subsets = _before.SubsetNamesOf(host).Union(_after.SubsetNamesOf(host)).Append("").ToArray();
        foreach (var port in PortsOf(host))
        {
            foreach (var subset in subsets)
            {
                yield return new SubsetKey(port, subset, host).ToString();
            }
        }
    }

    private IEnumerable<uint> PortsOf(string host)
        => _before.ServicesOf(host).Concat(_after.ServicesOf(host)).SelectMany(service => service.Ports).Select(port => port.Number).Distinct();

    private AdsChange? ToChange()
    {
        var byType = new Dictionary<string, IReadOnlySet<string>?>(StringComparer.Ordinal);
        Add(TypeUrls.Cluster, _clusters);
        Add(TypeUrls.ClusterLoadAssignment, _endpoints);
        Add(TypeUrls.Listener, _listeners);
        Add(TypeUrls.RouteConfiguration, _routes);
        Add(TypeUrls.Secret, _secrets);
        if (_anyListener)
        {
            byType[TypeUrls.Listener] = null;
        }

        return byType.Count == 0 ? null : new AdsChange(byType);

        void Add(string typeUrl, HashSet<string> names)
        {
            if (names.Count > 0)
            {
                byType[typeUrl] = names;
            }
        }
    }
}
