namespace Mesh.DataPlane.Clusters;

/// <summary>Where this process runs, and where its like run: what zone-aware routing weighs a cluster's localities against.</summary>
/// <param name="Locality">This process's own, as <c>region/zone/sub-zone</c>.</param>
/// <param name="Callers">How many healthy instances each locality has of the service that this process is one of; <see langword="null"/> when nobody told.</param>
internal sealed record LocalZone(string Locality, IReadOnlyDictionary<string, int>? Callers);
