using System.Globalization;
using Envoy.Config.Cluster.V3;
using Mesh.Cli.Output;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Clusters: who can be called.</summary>
internal static class ClusterTable
{
    public static Table Of(IEnumerable<Cluster> clusters)
    {
        var table = new Table("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE");
        foreach (var (cluster, name) in clusters
            .Select(cluster => (Cluster: cluster, Name: ClusterName.Parse(cluster.Name)))
            .OrderBy(row => row.Name.Host, StringComparer.Ordinal).ThenBy(row => row.Name.Port).ThenBy(row => row.Name.Subset, StringComparer.Ordinal))
        {
            table.Add(
                name.Host,
                name.Port > 0 ? name.Port.ToString(CultureInfo.InvariantCulture) : "",
                name.Subset,
                name.Direction,
                TypeOf(cluster),
                IstioConfigPath.Of(cluster.Metadata));
        }

        return table;
    }

    public static string TypeOf(Cluster cluster) => cluster.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType
        ? cluster.ClusterType.Name
        : cluster.Type switch
        {
            Cluster.Types.DiscoveryType.Eds => "EDS",
            Cluster.Types.DiscoveryType.StrictDns => "STRICT_DNS",
            Cluster.Types.DiscoveryType.LogicalDns => "LOGICAL_DNS",
            Cluster.Types.DiscoveryType.OriginalDst => "ORIGINAL_DST",
            _ => "STATIC",
        };
}
