using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Clusters;

/// <summary>Hosts among which the load-balancing policy picks.</summary>
internal sealed record HostGroup(string Locality, Endpoint[] Hosts, HostPicker Picker);
