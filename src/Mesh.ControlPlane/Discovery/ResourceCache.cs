using System.Collections.Concurrent;
using Google.Protobuf;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Signals;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Discovery;

/// <summary>
/// Resources that were generated, kept with what they were made from. A resource is made again only when one of those objects is
/// another one; clients that differ in nothing that matters share the instance.
/// </summary>
internal sealed class ResourceCache
{
    /// <summary>Listeners are named by clients: the bound keeps a client that invents names from filling the memory.</summary>
    private const int MaxListeners = 200_000;

    private readonly ConcurrentDictionary<(ProxyKind Kind, string Name, HostTarget Target, MeshSettings Mesh, ListenerSignals Signals, EnvoyHeaders Headers), AdsResource> _listeners = new();
    private TelemetryIndex? _telemetries;
    private (MeshSettings Mesh, AdsResource Cluster) _passthrough = (MeshSettings.Default, PassthroughOf(MeshSettings.Default));
    private readonly ConcurrentDictionary<(OutboundTraffic Traffic, MeshSettings Mesh, ListenerSignals Signals, EnvoyHeaders Headers), AdsResource> _virtualOutbound = new();
    private readonly ConcurrentDictionary<(string Namespace, string Labels, bool BindsToPort, ListenerSignals Signals, string Name), CachedResource> _tcpListeners = new();
    private readonly ConcurrentDictionary<(ProxyKind Kind, string Namespace, string Labels, string Annotation, string Addresses, ListenerSignals Signals, string Name), CachedResource> _inbound = new();
    private readonly ConcurrentDictionary<(ProxyKind Kind, string Namespace, string Labels, string Scope, string Name), CachedResource> _routes = new();
    private readonly ConcurrentDictionary<(ProxyKind Kind, string Namespace, string Variant, string Name), CachedResource> _clusters = new();
    private readonly ConcurrentDictionary<(ProxyKind Kind, string Namespace, string Variant, string Name), CachedResource> _endpoints = new();

    private readonly ConcurrentDictionary<(string Namespace, string Name), CachedResource> _secrets = new();

    /// <summary>The resources of a kind for a client: all that it may see, or those of <paramref name="names"/> that exist.</summary>
    public IReadOnlyCollection<AdsResource> Get(MeshModel model, Proxy proxy, string typeUrl, bool wildcard, IReadOnlyCollection<string> names)
    {
        var resources = new List<AdsResource>(names.Count);
        foreach (var name in wildcard ? AllNames(model.Config, proxy, typeUrl).Union(names) : names)
        {
            var resource = typeUrl switch
            {
                TypeUrls.Listener => Listener(model, proxy, name),
                TypeUrls.RouteConfiguration => Routes(model, proxy, name),
                TypeUrls.Cluster => Cluster(model, proxy, name),
                TypeUrls.ClusterLoadAssignment => Endpoints(model, proxy, name),
                TypeUrls.Secret => Secret(model.Config, proxy, name),
                _ => null,
            };
            if (resource is not null)
            {
                resources.Add(resource);
            }
        }

        return resources;
    }

    /// <summary>Drops what only documents of the past can need.</summary>
    public void Trim(ConfigIndex config)
    {
        var sameTelemetry = ReferenceEquals(_telemetries, config.Telemetries);
        _telemetries = config.Telemetries;
        foreach (var (key, _) in _listeners)
        {
            if (!ReferenceEquals(key.Mesh, config.Mesh) || !sameTelemetry)
            {
                _listeners.TryRemove(key, out _);
            }
        }

        foreach (var (key, _) in _virtualOutbound)
        {
            if (!ReferenceEquals(key.Mesh, config.Mesh) || !sameTelemetry)
            {
                _virtualOutbound.TryRemove(key, out _);
            }
        }

        foreach (var (key, _) in _endpoints)
        {
            if (Gone(key.Name))
            {
                _endpoints.TryRemove(key, out _);
            }
        }

        foreach (var (key, _) in _clusters)
        {
            if (Gone(key.Name))
            {
                _clusters.TryRemove(key, out _);
            }
        }

        foreach (var (key, entry) in _tcpListeners)
        {
            // Any change of documents makes them again.
            if (!ReferenceEquals(entry.Inputs.Config, config))
            {
                _tcpListeners.TryRemove(key, out _);
            }
        }

        foreach (var (key, entry) in _inbound)
        {
            // Servers that have gone ask for theirs no more; the others' are made again by their next request.
            if (!ReferenceEquals(entry.Inputs.Config, config))
            {
                _inbound.TryRemove(key, out _);
            }
        }

        foreach (var (key, entry) in _secrets)
        {
            // Keys are not kept for longer than their documents.
            if (!ReferenceEquals(entry.Inputs.Config, config))
            {
                _secrets.TryRemove(key, out _);
            }
        }

        foreach (var (key, _) in _routes)
        {
            if (Gone(key.Name))
            {
                _routes.TryRemove(key, out _);
            }
        }

        bool Gone(string name)
            => SubsetKey.TryParse(name, out var key) && config.ServicesOf(key.Host).Count == 0 && config.VirtualServicesOf(key.Host).Count == 0;
    }

    private static IEnumerable<string> AllNames(ConfigIndex config, Proxy proxy, string typeUrl)
    {
        if (typeUrl is not (TypeUrls.Listener or TypeUrls.Cluster))
        {
            yield break;
        }

        // Only a proxy carries connections; a library that asks for every listener has no use for these, and a gRPC library refuses them.
        if (proxy is { Kind: ProxyKind.Mesh, IsSidecar: true })
        {
            foreach (var name in typeUrl == TypeUrls.Listener ? TcpListenerGenerator.Names(proxy, config) : [PassthroughCluster.Name])
            {
                yield return name;
            }
        }

        var scope = config.ScopeOf(proxy);
        foreach (var host in config.Hosts)
        {
            var seen = typeUrl == TypeUrls.Listener ? scope.FindService(host) : scope.FindDestination(host);
            if (seen is not { } service || (service.IsWildcard && typeUrl == TypeUrls.Listener))
            {
                continue;
            }

            foreach (var port in service.Ports)
            {
                if (typeUrl == TypeUrls.Listener)
                {
                    yield return $"{service.Host}:{port.Number}";
                    continue;
                }

                yield return new SubsetKey(port.Number, "", service.Host).ToString();
                foreach (var subset in config.FindDestinationRule(proxy.Namespace, service, proxy.Labels)?.SubsetNames ?? [])
                {
                    yield return new SubsetKey(port.Number, subset, service.Host).ToString();
                }
            }
        }
    }

    private AdsResource? Listener(MeshModel model, Proxy proxy, string name)
    {
        if (InboundListenerName.TryParse(name, out var inbound))
        {
            return InboundListener(model.Config, proxy, name, inbound);
        }

        if (proxy is { Kind: ProxyKind.Mesh, IsSidecar: true } && TcpListenerKey.TryParse(name, out var key))
        {
            return TcpListener(model.Config, proxy, name, key);
        }

        if (name.StartsWith(ConnectionListenerGenerator.Scheme, StringComparison.Ordinal))
        {
            return ConnectionListener(model.Config, proxy, name);
        }

        if (name == VirtualOutbound.Name)
        {
            return proxy.Kind == ProxyKind.Mesh
                ? _virtualOutbound.GetOrAdd(
                    (model.Config.OutboundTrafficOf(proxy), model.Config.Mesh, model.Config.SignalsOf(proxy, WorkloadMode.Client), model.Config.ProxyConfigs.Of(proxy).EnvoyHeaders),
                    static key => new AdsResource(VirtualOutbound.Name, VirtualOutbound.Generate(key.Traffic, key.Headers, key.Signals)))
                : null;
        }

        if (model.Config.ScopeOf(proxy).Resolve(name) is not { } target)
        {
            return null;
        }

        var signals = model.Config.SignalsOf(proxy, WorkloadMode.Client);
        var headers = model.Config.ProxyConfigs.Of(proxy).EnvoyHeaders;
        if (_listeners.TryGetValue((proxy.Kind, name, target, model.Config.Mesh, signals, headers), out var resource))
        {
            return resource;
        }

        if (_listeners.Count >= MaxListeners)
        {
            _listeners.Clear();
        }

        return _listeners.GetOrAdd((proxy.Kind, name, target, model.Config.Mesh, signals, headers), new AdsResource(name, ListenerGenerator.Generate(proxy, model.Config.Mesh, name, target, signals, headers)));
    }

    private AdsResource? InboundListener(ConfigIndex config, Proxy proxy, string name, InboundListenerName address)
    {
        if (_inbound.Count >= MaxListeners)
        {
            _inbound.Clear();
        }

        return Find(
            _inbound,
            (proxy.Kind, proxy.Namespace, proxy.LabelsKey, proxy.Annotation?.Hash ?? "", proxy.AddressesKey, config.SignalsOf(proxy, WorkloadMode.Server), name),
            new ResourceInputs(null, null, null, config, InboundInputs.Of(proxy, config)),
            name,
            () => InboundListenerGenerator.Generate(proxy, config, name, address));
    }

    private AdsResource? TcpListener(ConfigIndex config, Proxy proxy, string name, TcpListenerKey key)
    {
        var targets = TcpListenerGenerator.TargetsOf(proxy, config, key);
        if (targets.Count == 0)
        {
            return null;
        }

        // What it is made from reaches over many documents: it is made again when any has changed, and asked for when one that matters has.
        return Find(
            _tcpListeners,
            (proxy.Namespace, proxy.LabelsKey, proxy.BindsToPort, config.SignalsOf(proxy, WorkloadMode.Client), name),
            new ResourceInputs(null, null, null, config, [config]),
            name,
            () => TcpListenerGenerator.Generate(proxy, config, key));
    }

    private AdsResource? ConnectionListener(ConfigIndex config, Proxy proxy, string name)
    {
        // A gRPC library would refuse it.
        if (proxy.Kind != ProxyKind.Mesh || ConnectionListenerGenerator.Resolve(config.ScopeOf(proxy), name) is not { } target)
        {
            return null;
        }

        if (_tcpListeners.Count >= MaxListeners)
        {
            _tcpListeners.Clear();
        }

        return Find(
            _tcpListeners,
            (proxy.Namespace, proxy.LabelsKey, proxy.IsIpv6Only, config.SignalsOf(proxy, WorkloadMode.Client), name),
            new ResourceInputs(null, null, null, config, [config]),
            name,
            () => ConnectionListenerGenerator.Generate(proxy, config, name, target));
    }

    private AdsResource? Routes(MeshModel model, Proxy proxy, string name)
    {
        if (!SubsetKey.TryParse(name, out var key))
        {
            return null;
        }

        var config = model.Config;
        var scope = config.ScopeOf(proxy);
        var service = scope.FindService(key.Host);
        var rule = scope.FindRule(service, key.Host, key.Port);
        if (service is null && rule is null)
        {
            return null;
        }

        var seesTls = proxy.IsInProcess && service?.FindPort(key.Port) is { } port && port.Protocol.IsTls();
        var tlsRules = seesTls ? scope.FindVirtualServices(key.Host, key.Port) : [];
        object?[] destinations = [.. RouteDestinations(config, scope, proxy, service, tlsRules.Append(rule).OfType<VirtualServiceRule>()), .. tlsRules];
        var byLabels = rule is { DependsOnSourceLabels: true } || tlsRules.Any(tls => tls.DependsOnSourceLabels) || Array.Exists(destinations, destination => destination is DestinationRuleSet { Variant.Length: > 0 });
        var variant = $"{(seesTls ? "tls/" : "")}{(config.ProxyConfigs.Of(proxy).EnvoyHeaders.HidesAttempts ? "uncounted/" : "")}{scope.Variant}";
        return Find(
            _routes,
            (proxy.Kind, proxy.Namespace, byLabels ? proxy.LabelsKey : "", variant, name),
            new ResourceInputs(service, rule, null, config, destinations),
            name,
            () => RouteGenerator.Generate(proxy, config, key));
    }

    /// <summary>Services whose only port a route takes, and the rules that say what of a request is hashed.</summary>
    private static IEnumerable<object?> RouteDestinations(ConfigIndex config, ClientScope scope, Proxy proxy, MeshService? service, IEnumerable<VirtualServiceRule> rules)
    {
        if (service is not null)
        {
            yield return config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
            foreach (var alias in scope.AliasesOf(service))
            {
                yield return alias;
            }
        }

        foreach (var host in rules.SelectMany(rule => rule.DestinationHosts))
        {
            var destination = scope.FindDestination(host);
            destination = destination is null ? null : scope.Meant(destination);
            yield return destination;
            yield return destination is null ? null : config.FindDestinationRule(proxy.Namespace, destination, proxy.Labels);
        }
    }

    private AdsResource Passthrough(MeshSettings mesh)
    {
        lock (_virtualOutbound)
        {
            if (!ReferenceEquals(_passthrough.Mesh, mesh))
            {
                _passthrough = (mesh, PassthroughOf(mesh));
            }

            return _passthrough.Cluster;
        }
    }

    private static AdsResource PassthroughOf(MeshSettings mesh) => new(PassthroughCluster.Name, PassthroughCluster.Generate(mesh));

    private AdsResource? Cluster(MeshModel model, Proxy proxy, string name)
    {
        if (name == PassthroughCluster.Name && proxy.Kind == ProxyKind.Mesh)
        {
            return Passthrough(model.Config.Mesh);
        }

        if (!SubsetKey.TryParse(name, out var key))
        {
            return null;
        }

        if (NamedDestinations.Find(proxy, model.Config, key) is not { } seen || seen.FindPort(key.Port) is null)
        {
            return proxy.Kind == ProxyKind.Mesh && (JwksClusters.Find(proxy, model.Config, key) ?? JwksClusters.FindCollector(proxy, model.Config, key)) is { } keys
                ? Find(_clusters, (proxy.Kind, proxy.Namespace, $"jwks\0{keys}\0{proxy.IsIpv6Only}", name), new ResourceInputs(null, null, null, model.Config, []), name, () => JwksClusters.Generate(proxy, model.Config.Mesh, key, keys))
                : null;
        }

        // Which of its ports a client sees makes no difference to the one that it asks for.
        var service = seen.Whole;
        var rule = model.Config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
        return Find(
            _clusters,
            (proxy.Kind, proxy.Namespace, ClientVariant.OfCluster(proxy, model.Config.Mesh, service, rule, key), name),
            new ResourceInputs(service, rule, service.IsResolvedByDns ? model.EndpointsOf(service) : model.EndpointsOf(service).Accounts, model.Config, PeersOf(model.Config, service)),
            name,
            () => ClusterGenerator.Generate(proxy, model, key));
    }

    private AdsResource? Endpoints(MeshModel model, Proxy proxy, string name)
    {
        if (!SubsetKey.TryParse(name, out var key) || NamedDestinations.Find(proxy, model.Config, key) is not { } seen || seen.FindPort(key.Port) is null)
        {
            return null;
        }

        // Which of its ports a client sees makes no difference to the one that it asks for.
        var service = seen.Whole;
        var rule = model.Config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
        return Find(
            _endpoints,
            (proxy.Kind, proxy.Namespace, ClientVariant.OfEndpoints(proxy, model.Config.Mesh, service, rule, key), name),
            new ResourceInputs(service, rule, model.EndpointsOf(service), model.Config, PeersOf(model.Config, service)),
            name,
            () => EndpointGenerator.Generate(proxy, model, key));
    }

    /// <summary>What decides whether a service is spoken to by mutual TLS.</summary>
    private static object?[] PeersOf(ConfigIndex config, MeshService service)
        => [config.Policies.PeerAuthentications.Of(service.Namespace), config.Policies.PeerAuthentications.Of(config.Mesh.RootNamespace)];

    private AdsResource? Secret(ConfigIndex config, Proxy proxy, string name)
        => SecretName.TryParse(name, out var secret) && SecretGenerator.Find(proxy, config, secret) is { } source
            ? Find(_secrets, (proxy.Namespace, name), new ResourceInputs(null, source, null, config, [source]), name, () => SecretGenerator.Generate(name, secret, source))
            : null;

    private static AdsResource? Find<TKey>(ConcurrentDictionary<TKey, CachedResource> cache, TKey key, in ResourceInputs inputs, string name, Func<IMessage?> generate)
        where TKey : notnull
    {
        var before = cache.GetValueOrDefault(key);
        if (before is not null && before.Inputs.AreSameAs(inputs))
        {
            return before.Resource;
        }

        if (generate() is not { } message)
        {
            cache.TryRemove(key, out _);
            return null;
        }

        var resource = new AdsResource(name, message);
        if (before is not null && before.Resource.Version == resource.Version)
        {
            // Made from other objects, but it came out the same: streams compare instances first.
            resource = before.Resource;
        }

        cache[key] = new CachedResource(inputs, resource);
        return resource;
    }
}
