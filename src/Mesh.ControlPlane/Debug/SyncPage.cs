using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Debug;

/// <summary>How far each proxy is with what it was sent.</summary>
internal sealed class SyncPage(ConnectedProxies proxies) : IDebugPage
{
    public string Name => "syncz";

    public string Summary => "how far each proxy is: what was sent, acknowledged and refused, and why; ?proxyID=<name>.<namespace>";

    public JsonNode Read(DebugQuery query)
    {
        var shown = query["proxyID"] is { } name ? [proxies.Find(name)] : proxies.All;
        return new JsonArray([.. shown.Select(Describe)]);
    }

    private static JsonObject Describe(ConnectedProxy proxy) => new()
    {
        ["proxy"] = proxy.Name,
        ["workload"] = proxy.Workload,
        ["node"] = proxy.Status.Node!.Id,
        ["cluster_id"] = proxy.Metadata.ClusterId,
        ["version"] = proxy.Version,
        ["control_plane"] = ControlPlaneInstance.Name,
        ["control_plane_version"] = XdsNode.UserAgentVersion,
        ["address"] = proxy.Status.Connection.IsInProcess ? "this process" : proxy.Status.Connection.RemoteEndPoint?.ToString(),
        ["connected_at"] = TextOf(proxy.Status.Connection.OpenedAt),
        ["incremental"] = proxy.Status.IsDelta,
        ["admin"] = proxy.Admin,
        ["types"] = new JsonArray([.. proxy.Status.Types.Select(Describe)]),
    };

    private static JsonObject Describe(AdsTypeStatus type) => new()
    {
        ["name"] = TypeNames.Of(type.TypeUrl),
        ["type_url"] = type.TypeUrl,
        ["status"] = type.State switch
        {
            AdsSyncState.Synced => "SYNCED",
            AdsSyncState.Stale => "STALE",
            AdsSyncState.Error => "NACK",
            _ => "NOT SENT",
        },
        ["sent"] = type.SentVersion,
        ["acked"] = type.AckedVersion,
        ["nacked"] = type.NackedVersion,
        ["error"] = type.LastNack,
        ["subscribed"] = type.Subscribed,
        ["wildcard"] = type.Wildcard,
        ["last_sent"] = TextOf(type.LastSent),
        ["last_acked"] = TextOf(type.LastAcked),
        ["last_nacked"] = TextOf(type.LastNacked),
    };

    private static string? TextOf(DateTimeOffset? time) => time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
