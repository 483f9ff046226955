using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Generators.Localities;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>Who serves a cluster, by locality.</summary>
internal static class EndpointGenerator
{
    /// <returns>
    /// The assignment (empty when nobody serves), or <see langword="null"/> when the client knows no such cluster or learns its
    /// endpoints otherwise.
    /// </returns>
    public static ClusterLoadAssignment? Generate(Proxy proxy, MeshModel model, SubsetKey key)
    {
        if (NamedDestinations.Find(proxy, model.Config, key) is not { Resolution: ServiceResolution.Endpoints } service || service.FindPort(key.Port) is not { } port)
        {
            return null;
        }

        var rule = model.Config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
        var subset = key.Subset.Length > 0 ? rule?.FindSubset(key.Subset) : null;
        return key.Subset.Length > 0 && subset is null
            ? null
            : Assignment(key, proxy, model, service, port, subset, model.Config.Mesh.Complete(rule?.PolicyFor(subset, port.Number) ?? default));
    }

    /// <summary>The endpoints of a service's port, or of a subset there, in the places that the client prefers.</summary>
    public static ClusterLoadAssignment Assignment(
        SubsetKey key,
        Proxy proxy,
        MeshModel model,
        MeshService service,
        MeshServicePort port,
        Subset? subset,
        in TrafficPolicyParts policy)
    {
        var localities = new SortedDictionary<MeshLocality, LocalityGroup>();
        var seen = new HashSet<NetworkAddress>();
        foreach (var instance in model.EndpointsOf(service).Instances)
        {
            // Two documents may name the same address; gRPC refuses an assignment that does.
            if ((subset is not null && !instance.IsOf(subset))
                || !CanCarry(proxy, service, instance)
                || instance.AddressFor(service, port) is not { } address
                || !seen.Add(address))
            {
                continue;
            }

            if (!localities.TryGetValue(instance.Locality, out var group))
            {
                localities[instance.Locality] = group = new LocalityGroup(instance.Locality);
            }

            group.Add(instance, address);
        }

        List<LocalityGroup> groups = [.. localities.Values];
        var assignment = new ClusterLoadAssignment { ClusterName = key.ToString() };
        var mutualTls = new MutualTlsTranslator(model, service, port, key, policy.Tls);
        assignment.Endpoints.AddRange((LocalityPolicy.Of(service, policy)?.Apply(proxy, groups) ?? groups).Select(group => ToLocality(group, (instance, address) => mutualTls.Reaches(instance, instance.Address is null ? InboundPort.TargetOf(port) : address.Port))));
        return assignment;
    }

    /// <summary>Names are for DNS clusters, which the client resolves; sockets of the file system are for those whose endpoints are listed.</summary>
    private static bool CanCarry(Proxy proxy, MeshService service, WorkloadInstance instance)
        => service.IsResolvedByDns ? !instance.IsUnixSocket : !instance.IsNamed && !(instance.IsUnixSocket && proxy.Kind == ProxyKind.Grpc);

    private static LocalityLbEndpoints ToLocality(LocalityGroup group, Func<WorkloadInstance, NetworkAddress, bool> speaksMutualTls) => new()
    {
        Locality = new Locality { Region = group.Locality.Region, Zone = group.Locality.Zone, SubZone = group.Locality.SubZone },
        LoadBalancingWeight = group.Weight,
        Priority = group.Priority,
        LbEndpoints = { group.Endpoints.Select(endpoint => ToEndpoint(endpoint.Instance, endpoint.Address, speaksMutualTls(endpoint.Instance, endpoint.Address))) },
    };

    private static LbEndpoint ToEndpoint(WorkloadInstance instance, NetworkAddress address, bool speaksMutualTls) => new()
    {
        Endpoint = new Endpoint
        {
            Address = instance.IsUnixSocket
                ? new Address { Pipe = new Pipe { Path = address.Ip[NetworkAddress.UnixPrefix.Length..] } }
                : new Address { SocketAddress = new SocketAddress { Address = address.Ip, PortValue = address.Port } },
        },
        HealthStatus = HealthStatus.Healthy,
        LoadBalancingWeight = instance.Weight,
        Metadata = IstioMetadata.OfWorkload(instance, speaksMutualTls),
    };
}
