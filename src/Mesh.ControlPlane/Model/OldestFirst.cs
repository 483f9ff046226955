using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>The order in which documents that claim the same thing are considered: the oldest first, then by namespace and name.</summary>
internal sealed class OldestFirst : IComparer<ConfigResource>
{
    public static OldestFirst Instance { get; } = new();

    public int Compare(ConfigResource? left, ConfigResource? right)
    {
        var order = left!.Created.CompareTo(right!.Created);
        order = order != 0 ? order : string.CompareOrdinal(left.Namespace, right.Namespace);
        return order != 0 ? order : string.CompareOrdinal(left.Name, right.Name);
    }
}
