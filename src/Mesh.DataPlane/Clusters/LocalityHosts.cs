namespace Mesh.DataPlane.Clusters;

/// <summary>The hosts of one locality and priority.</summary>
internal sealed record LocalityHosts(string Name, uint Weight, Endpoint[] Hosts);
