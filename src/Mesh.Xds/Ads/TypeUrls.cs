namespace Mesh.Xds.Ads;

/// <summary>The type URLs of the resources that travel over ADS.</summary>
internal static class TypeUrls
{
    public const string Prefix = "type.googleapis.com/";
    public const string Listener = Prefix + "envoy.config.listener.v3.Listener";
    public const string RouteConfiguration = Prefix + "envoy.config.route.v3.RouteConfiguration";
    public const string Cluster = Prefix + "envoy.config.cluster.v3.Cluster";
    public const string ClusterLoadAssignment = Prefix + "envoy.config.endpoint.v3.ClusterLoadAssignment";
    public const string Secret = Prefix + "envoy.extensions.transport_sockets.tls.v3.Secret";

    /// <summary>Istio's readiness report, sent by a workload on its ADS stream; not a resource that is ever subscribed to.</summary>
    public const string HealthInformation = Prefix + "istio.v1.HealthInformation";
}
