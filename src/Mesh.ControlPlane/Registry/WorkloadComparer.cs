using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Registry;

/// <summary>Whether a workload that came back is the one that went: then nothing has to be sent to anybody.</summary>
internal static class WorkloadComparer
{
    public static bool Same(WorkloadInstance left, WorkloadInstance right)
        => left.Name == right.Name
            && left.Namespace == right.Namespace
            && left.ServiceAccount == right.ServiceAccount
            && left.ClusterId == right.ClusterId
            && left.Locality == right.Locality
            && left.Weight == right.Weight
            && SameEntries(left.Labels, right.Labels)
            && SameEntries(left.Addresses, right.Addresses);

    private static bool SameEntries<T>(IReadOnlyDictionary<string, T> left, IReadOnlyDictionary<string, T> right)
        where T : IEquatable<T>
        => left.Count == right.Count && left.All(entry => right.TryGetValue(entry.Key, out var value) && value.Equals(entry.Value));
}
