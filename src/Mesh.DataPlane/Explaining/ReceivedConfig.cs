using Envoy.Admin.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Matching.Re2;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Dumps;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;

namespace Mesh.DataPlane.Explaining;

/// <summary>The configuration as it was received, in the shape of Envoy's <c>/config_dump</c>, without what nobody may read.</summary>
internal static class ReceivedConfig
{
    /// <summary>All kinds.</summary>
    /// <param name="status">What the ADS client knows.</param>
    /// <param name="includeEndpoints">Endpoints too, which Envoy leaves out unless it is asked for them (<c>include_eds</c>).</param>
    /// <param name="name">Only resources of which a part of the name matches.</param>
    public static ConfigDump Of(XdsClientStatus status, bool includeEndpoints, Re2Pattern? name = null)
    {
        var resources = status.Resources.Where(r => name is null || name.IsPartialMatch(r.Name)).Select(Dumped).ToList();
        string[] types = [TypeUrls.Listener, TypeUrls.RouteConfiguration, TypeUrls.Cluster, .. includeEndpoints ? [TypeUrls.ClusterLoadAssignment] : Array.Empty<string>(), TypeUrls.Secret];
        return new ConfigDump { Configs = { types.Select(type => Any.Pack(ConfigDumps.Of(type, resources))) } };
    }

    /// <summary>The entries of one repeated field, as Envoy's <c>?resource=</c> gives them; <see langword="null"/> when no kind has a field of that name.</summary>
    /// <param name="all">All kinds.</param>
    /// <param name="field"><c>dynamic_listeners</c>, <c>dynamic_route_configs</c>, <c>dynamic_active_clusters</c> …</param>
    public static ConfigDump? Only(ConfigDump all, string field)
    {
        foreach (var config in all.Configs)
        {
            var message = XdsJson.Types.Find(Any.GetTypeName(config.TypeUrl))!.Parser.ParseFrom(config.Value);
            if (message.Descriptor.FindFieldByName(field) is { IsRepeated: true } found)
            {
                var dump = new ConfigDump();
                dump.Configs.Add(((System.Collections.IList)found.Accessor.GetValue(message)).Cast<IMessage>().Select(Any.Pack));
                return dump;
            }
        }

        return null;
    }

    private static DumpedResource Dumped(XdsResourceStatus resource)
        => new(resource.TypeUrl, resource.Name, resource.Version, resource.Body is { } body ? MessageRedaction.Of(resource.TypeUrl, body) : null, StatusOf(resource))
        {
            LastUpdated = resource.LastUpdated,
            Error = ErrorOf(resource),
        };

    private static ClientResourceStatus StatusOf(XdsResourceStatus resource)
        => resource.State switch
        {
            "ACKED" => ClientResourceStatus.Acked,
            "NACKED" => ClientResourceStatus.Nacked,
            "DOES_NOT_EXIST" => ClientResourceStatus.DoesNotExist,
            "REQUESTED" => ClientResourceStatus.Requested,
            "RECEIVED_ERROR" => ClientResourceStatus.ReceivedError,
            "TIMEOUT" => ClientResourceStatus.Timeout,
            _ => ClientResourceStatus.Unknown,
        };

    private static UpdateFailureState? ErrorOf(XdsResourceStatus resource)
        => resource.Rejected is { } rejected
            ? new UpdateFailureState
            {
                Details = rejected.Details,
                VersionInfo = rejected.Version,
                LastUpdateAttempt = Timestamp.FromDateTimeOffset(rejected.At),
                FailedConfiguration = rejected.Body is { } body ? MessageRedaction.Of(resource.TypeUrl, body) : null,
            }
            : null;
}
