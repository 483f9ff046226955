using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>Who serves a cluster, by locality.</summary>
internal static class EndpointGenerator
{
    /// <returns>The assignment (empty when nobody serves), or <see langword="null"/> when the client knows no such cluster.</returns>
    public static ClusterLoadAssignment? Generate(Proxy proxy, MeshModel model, SubsetKey key)
    {
        if (model.Config.FindService(proxy.Namespace, key.Host) is not { } service || service.FindPort(key.Port) is not { } port)
        {
            return null;
        }

        IReadOnlyDictionary<string, string>? labels = null;
        if (key.Subset.Length > 0)
        {
            if (model.Config.FindDestinationRule(proxy.Namespace, service)?.FindSubset(key.Subset) is not { } subset)
            {
                return null;
            }

            labels = new Dictionary<string, string>(subset.Labels, StringComparer.Ordinal);
        }

        var localities = new SortedDictionary<MeshLocality, LocalityLbEndpoints>();
        var seen = new HashSet<NetworkAddress>();
        foreach (var instance in model.EndpointsOf(service).Instances)
        {
            // Two documents may name the same address; gRPC refuses an assignment that does.
            if ((labels is not null && !instance.Matches(labels)) || instance.AddressFor(service, port) is not { } address || !seen.Add(address))
            {
                continue;
            }

            if (!localities.TryGetValue(instance.Locality, out var endpoints))
            {
                localities[instance.Locality] = endpoints = new LocalityLbEndpoints { Locality = ToLocality(instance.Locality), LoadBalancingWeight = 0 };
            }

            endpoints.LbEndpoints.Add(ToEndpoint(instance, address));
            endpoints.LoadBalancingWeight += instance.Weight;
        }

        var assignment = new ClusterLoadAssignment { ClusterName = key.ToString() };
        assignment.Endpoints.AddRange(localities.Values);
        return assignment;
    }

    private static LbEndpoint ToEndpoint(WorkloadInstance instance, NetworkAddress address) => new()
    {
        Endpoint = new Endpoint { Address = new Address { SocketAddress = new SocketAddress { Address = address.Ip, PortValue = address.Port } } },
        HealthStatus = HealthStatus.Healthy,
        LoadBalancingWeight = instance.Weight,
        Metadata = IstioMetadata.OfWorkload(instance),
    };

    private static Locality ToLocality(MeshLocality locality) => new() { Region = locality.Region, Zone = locality.Zone, SubZone = locality.SubZone };
}
