using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Finds where a workload's signals are sent, and remembers it: their clusters are the workload's to ask for, whatever its Sidecar lets in.</summary>
internal sealed class Collectors(Proxy proxy, ConfigIndex config)
{
    private readonly HashSet<Collector> _found = [];

    public IReadOnlyCollection<Collector> Found => _found;

    /// <summary>The service that a provider names: <c>zipkin.istio-system.svc.cluster.local</c>, with its namespace and a slash before it where several have the host.</summary>
    /// <returns><see langword="null"/> when there is none that is for this workload to see, or it has no such port.</returns>
    public Collector? Find(string service, uint port) => ServiceOf(proxy.Namespace, config, service, port) is { } found ? Remember(new SubsetKey(port, "", found.Host), isService: true) : null;

    /// <summary>What an address of host and port means; a host that no service has is resolved by name, as Istio's bootstrap does.</summary>
    public Collector? OfAddress(string address)
    {
        if (!Authority.TryParse(address, out var host, out var port) || port is not { } number)
        {
            return null;
        }

        var scope = config.ExportedTo(proxy.Namespace);
        return scope.Resolve(address) is { } target && scope.FindService(target.Host) is { IsWildcard: false } service && service.FindPort(target.Port) is not null
            ? Remember(new SubsetKey(target.Port, "", service.Host), isService: true)
            : Remember(new SubsetKey(number, "", host.Trim('[', ']').ToLowerInvariant()), isService: false);
    }

    public static MeshService? ServiceOf(string @namespace, ConfigIndex config, string service, uint port)
    {
        var slash = service.IndexOf('/', StringComparison.Ordinal);
        return config.ExportedTo(@namespace).FindService(service[(slash + 1)..]) is { } found
            && (slash < 0 || found.Namespace == service[..slash])
            && found.FindPort(port) is not null
            ? found
            : null;
    }

    private Collector Remember(SubsetKey key, bool isService)
    {
        var collector = new Collector(key, key.Host, isService);
        _found.Add(collector);
        return collector;
    }
}
