using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Calls;

/// <summary>An authority for calls to a cluster that nobody has given one.</summary>
internal static class ClusterAuthority
{
    // A cluster's name is no authority; Istio writes its parts like this where they have to be one.
    public static string Of(string cluster)
    {
        var name = cluster.Replace("|", "_.", StringComparison.Ordinal);
        return RequestTarget.IsAuthority(name) ? name : "cluster";
    }
}
