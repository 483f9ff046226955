using Envoy.Admin.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Dumps;

/// <summary>The shape of Envoy's <c>/config_dump</c>: a message for each kind of resource.</summary>
internal static class ConfigDumps
{
    /// <summary>The resources of one kind.</summary>
    /// <param name="typeUrl">The kind.</param>
    /// <param name="resources">All that there are, of any kind.</param>
    /// <param name="version">The version of all of them; empty where each has its own.</param>
    /// <exception cref="ArgumentException">A dump has no such kind.</exception>
    public static IMessage Of(string typeUrl, IEnumerable<DumpedResource> resources, string version = "")
    {
        var dumped = resources.Where(resource => resource.TypeUrl == typeUrl).OrderBy(resource => resource.Name, StringComparer.Ordinal);
        return typeUrl switch
        {
            TypeUrls.Listener => new ListenersConfigDump { VersionInfo = version, DynamicListeners = { dumped.Select(Listener) } },
            TypeUrls.RouteConfiguration => new RoutesConfigDump
            {
                DynamicRouteConfigs =
                {
                    dumped.Select(resource => new RoutesConfigDump.Types.DynamicRouteConfig
                    {
                        VersionInfo = resource.Version,
                        RouteConfig = resource.BodyOrName,
                        LastUpdated = resource.LastUpdatedTime,
                        ClientStatus = resource.Status,
                        ErrorState = resource.Error,
                    }),
                },
            },
            TypeUrls.Cluster => new ClustersConfigDump
            {
                VersionInfo = version,
                DynamicActiveClusters =
                {
                    dumped.Select(resource => new ClustersConfigDump.Types.DynamicCluster
                    {
                        VersionInfo = resource.Version,
                        Cluster = resource.BodyOrName,
                        LastUpdated = resource.LastUpdatedTime,
                        ClientStatus = resource.Status,
                        ErrorState = resource.Error,
                    }),
                },
            },
            TypeUrls.ClusterLoadAssignment => new EndpointsConfigDump
            {
                DynamicEndpointConfigs =
                {
                    dumped.Select(resource => new EndpointsConfigDump.Types.DynamicEndpointConfig
                    {
                        VersionInfo = resource.Version,
                        EndpointConfig = resource.BodyOrName,
                        LastUpdated = resource.LastUpdatedTime,
                        ClientStatus = resource.Status,
                        ErrorState = resource.Error,
                    }),
                },
            },
            TypeUrls.Secret => new SecretsConfigDump
            {
                DynamicActiveSecrets =
                {
                    dumped.Select(resource => new SecretsConfigDump.Types.DynamicSecret
                    {
                        Name = resource.Name,
                        VersionInfo = resource.Version,
                        Secret = resource.BodyOrName,
                        LastUpdated = resource.LastUpdatedTime,
                        ClientStatus = resource.Status,
                        ErrorState = resource.Error,
                    }),
                },
            },
            _ => throw new ArgumentException($"{typeUrl} is no kind of a dump", nameof(typeUrl)),
        };
    }

    private static ListenersConfigDump.Types.DynamicListener Listener(DumpedResource resource)
    {
        var listener = new ListenersConfigDump.Types.DynamicListener { Name = resource.Name, ClientStatus = resource.Status, ErrorState = resource.Error };
        if (resource.Body is { } body)
        {
            listener.ActiveState = new() { VersionInfo = resource.Version, Listener = body, LastUpdated = resource.LastUpdatedTime };
        }

        return listener;
    }
}
