namespace Mesh.DataPlane.Explaining;

/// <summary>A cluster's part in a split.</summary>
internal sealed record WeightDump(string Cluster, uint Weight);
