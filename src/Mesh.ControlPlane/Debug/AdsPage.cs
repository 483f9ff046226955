using System.Globalization;
using System.Text.Json.Nodes;

namespace Mesh.ControlPlane.Debug;

/// <summary>The open streams, and what each asks for.</summary>
internal sealed class AdsPage(ConnectedProxies proxies) : IDebugPage
{
    public string Name => "adsz";

    public string Summary => "the open streams, and the names of the resources that each has subscribed to; ?proxyID=<name>.<namespace>";

    public JsonNode Read(DebugQuery query)
    {
        var shown = query["proxyID"] is { } name ? [proxies.Find(name)] : proxies.All;
        return new JsonObject
        {
            ["totalClients"] = shown.Count,
            ["clients"] = new JsonArray([.. shown.Select(Describe)]),
        };
    }

    private JsonObject Describe(ConnectedProxy proxy)
    {
        var watches = new JsonObject();
        foreach (var type in proxies.ResourcesOf(proxy).GroupBy(resource => resource.TypeUrl, StringComparer.Ordinal))
        {
            watches[type.Key] = new JsonArray([.. type.Select(resource => (JsonNode)resource.Name)]);
        }

        return new JsonObject
        {
            ["connectionId"] = string.Create(CultureInfo.InvariantCulture, $"{proxy.Name}-{proxy.Status.Connection.Id}"),
            ["connectedAt"] = proxy.Status.Connection.OpenedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["address"] = proxy.Status.Connection.IsInProcess ? "this process" : proxy.Status.Connection.RemoteEndPoint?.ToString(),
            ["labels"] = DebugJson.Of(proxy.Metadata.Labels),
            ["watches"] = watches,
        };
    }
}
