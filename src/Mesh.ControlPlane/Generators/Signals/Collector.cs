namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Where signals are sent.</summary>
/// <param name="Cluster">The cluster that leads there.</param>
/// <param name="Host">The host that it is asked by.</param>
/// <param name="IsService">Whether a service has that host; if not, the cluster is made of host and port.</param>
internal readonly record struct Collector(SubsetKey Cluster, string Host, bool IsService);
