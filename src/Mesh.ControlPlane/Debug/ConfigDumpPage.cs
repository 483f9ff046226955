using System.Text.Json.Nodes;
using Envoy.Admin.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Dumps;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Debug;

/// <summary>What a proxy was sent, in the shape of Envoy's <c>/config_dump</c>.</summary>
internal sealed class ConfigDumpPage(ConnectedProxies proxies) : IDebugPage
{
    private const string BootstrapType = TypeUrls.Prefix + "envoy.admin.v3.BootstrapConfigDump";

    private static readonly string[] Types = [TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment, TypeUrls.Listener, TypeUrls.RouteConfiguration, TypeUrls.Secret];

    public string Name => "config_dump";

    public string Summary => "what a proxy was sent, as Envoy's /config_dump; ?proxyID=<name>.<namespace>";

    public JsonNode Read(DebugQuery query)
    {
        var proxy = proxies.Find(query["proxyID"]);
        var resources = proxies.ResourcesOf(proxy);
        var types = proxy.Status.Types.ToDictionary(type => type.TypeUrl, StringComparer.Ordinal);
        var dumped = resources.Where(resource => resource.Body is not null && types.ContainsKey(resource.TypeUrl)).Select(resource => Dumped(resource, types[resource.TypeUrl])).ToList();
        return new JsonObject
        {
            ["configs"] = new JsonArray(
            [
                new JsonObject { ["@type"] = BootstrapType, ["bootstrap"] = new JsonObject { ["node"] = XdsJson.Of(MessageRedaction.Of(proxy.Status.Node!)) } },
                .. Types.Where(types.ContainsKey).Select(type => XdsJson.Of(Any.Pack(ConfigDumps.Of(type, dumped, types[type].SentVersion)))),
            ]),
            ["pending"] = new JsonArray([.. resources
                .Where(resource => resource.Body is null)
                .Select(resource => new JsonObject { ["type_url"] = resource.TypeUrl, ["name"] = resource.Name, ["version_info"] = resource.Version })]),
        };
    }

    private static DumpedResource Dumped(AdsResourceStatus resource, AdsTypeStatus type)
        => new(resource.TypeUrl, resource.Name, resource.Version, MessageRedaction.Of(resource.Body!), StatusOf(resource)) { LastUpdated = type.LastSent, Error = ErrorOf(type) };

    private static ClientResourceStatus StatusOf(AdsResourceStatus resource) => resource.State switch
    {
        AdsSyncState.Synced => ClientResourceStatus.Acked,
        AdsSyncState.Error => ClientResourceStatus.Nacked,
        _ => ClientResourceStatus.Requested,
    };

    private static UpdateFailureState? ErrorOf(AdsTypeStatus type) => type.State != AdsSyncState.Error ? null : new UpdateFailureState
    {
        Details = type.LastNack ?? "",
        VersionInfo = type.NackedVersion,
        LastUpdateAttempt = type.LastNacked is { } at ? Timestamp.FromDateTimeOffset(at) : null,
    };
}
