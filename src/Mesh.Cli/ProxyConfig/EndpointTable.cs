using Mesh.Cli.Output;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Endpoints: where requests end up.</summary>
internal static class EndpointTable
{
    public static Table Of(IEnumerable<EndpointRow> rows)
    {
        var table = new Table("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER");
        foreach (var row in rows.OrderBy(row => row.Endpoint, StringComparer.Ordinal).ThenBy(row => row.Cluster, StringComparer.Ordinal))
        {
            table.Add(row.Endpoint, row.Status, row.OutlierCheck, row.Cluster);
        }

        return table;
    }
}
