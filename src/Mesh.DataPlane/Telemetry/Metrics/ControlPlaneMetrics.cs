using Mesh.DataPlane.Clusters;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>What the client of the control plane tells: by Envoy's names, and by those of gRFC A78.</summary>
internal static class ControlPlaneMetrics
{
    /// <summary>The name under which dashboards look for the control plane among the clusters.</summary>
    public const string Cluster = "xds-grpc";

    /// <summary>What is counted of its connection as of any cluster's: nothing yet has been.</summary>
    public static ClusterStats None { get; } = new();

    private static readonly (string Type, string Manager)[] Kinds =
    [
        ("type.googleapis.com/envoy.config.cluster.v3.Cluster", "envoy_cluster_manager_cds"),
        ("type.googleapis.com/envoy.config.listener.v3.Listener", "envoy_listener_manager_lds"),
        ("type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "envoy_http_rds"),
        ("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "envoy_cluster_eds"),
        ("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "envoy_sds"),
    ];

    public static void Register(MetricRegistry registry, MeshEngine engine)
    {
        registry.Observe("envoy_control_plane_connected_state", "1 while there is a stream to the control plane.", () => engine.Client.Status.Connected ? 1 : 0);
        registry.Observe("envoy_cluster_manager_active_clusters", "Clusters that are in use.", () => engine.Clusters.All.Count);
        registry.Observe("envoy_cluster_manager_warming_clusters", "Clusters that the control plane has not answered yet.", () => engine.Clusters.All.Count(c => c.Cluster.Current.Status == ClusterStatus.Pending));
        foreach (var (type, manager) in Kinds)
        {
            Observe(manager + "_update_success", MetricType.Counter, "Responses of the control plane that were accepted.", status => status?.Accepted ?? 0);
            Observe(manager + "_update_rejected", MetricType.Counter, "Responses of the control plane that were refused.", status => status?.Refused ?? 0);
            Observe(manager + "_update_attempt", MetricType.Counter, "Responses of the control plane.", status => (status?.Accepted ?? 0) + (status?.Refused ?? 0));

            void Observe(string name, MetricType kind, string help, Func<Mesh.Xds.Client.XdsTypeStatus?, double> read)
                => registry.Observe(new MetricDescription(name, kind, help), visitor => visitor.Value([], read(engine.Client.Status.Types.FirstOrDefault(t => t.TypeUrl == type))));
        }

        Grpc(registry, engine);
    }

    // https://github.com/grpc/proposal/blob/master/A78-grpc-metrics-wrr-pf-xds.md
    private static void Grpc(MetricRegistry registry, MeshEngine engine)
    {
        registry.Observe(
            new MetricDescription("grpc_xds_client_connected", MetricType.Gauge, "1 while there is a stream to the server.", "grpc_target", "grpc_xds_server")
            {
                Instrument = "grpc.xds_client.connected",
                Tags = ["grpc.target", "grpc.xds.server"],
                Unit = "{bool}",
            },
            visitor =>
            {
                var status = engine.Client.Status;
                visitor.Value(["", status.Server], status.Connected ? 1 : 0);
            });
        Updates("valid", status => status.Accepted);
        Updates("invalid", status => status.Refused);

        void Updates(string kind, Func<Mesh.Xds.Client.XdsTypeStatus, double> read)
            => registry.Observe(
                new MetricDescription(
                    $"grpc_xds_client_resource_updates_{kind}_total", MetricType.Counter, $"Responses that were considered {kind}.", "grpc_target", "grpc_xds_server", "grpc_xds_resource_type")
                {
                    Instrument = $"grpc.xds_client.resource_updates_{kind}",
                    Tags = ["grpc.target", "grpc.xds.server", "grpc.xds.resource_type"],
                    Unit = "{resource}",
                },
                visitor =>
                {
                    var status = engine.Client.Status;
                    foreach (var type in status.Types)
                    {
                        visitor.Value(["", status.Server, type.TypeUrl[(type.TypeUrl.LastIndexOf('/') + 1)..]], read(type));
                    }
                });
    }
}
