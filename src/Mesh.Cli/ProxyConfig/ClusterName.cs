using System.Globalization;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Istio's names of clusters, taken apart: <c>outbound|9080|v2|reviews.default.svc.cluster.local</c>.</summary>
internal readonly record struct ClusterName(string Direction, int Port, string Subset, string Host)
{
    /// <summary>A name that is none of these is a host in all.</summary>
    public static ClusterName Parse(string name)
    {
        var parts = name.Split('|', 5);
        return parts.Length == 4 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? new ClusterName(parts[0].TrimEnd('_', '.'), port, parts[2], parts[3])
            : new ClusterName("", 0, "", name);
    }
}
