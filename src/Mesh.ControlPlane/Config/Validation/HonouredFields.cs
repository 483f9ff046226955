namespace Mesh.ControlPlane.Config.Validation;

/// <summary>
/// The fields that this version applies, kind by kind. A line is a path without indices; <c>.*</c> takes all below, and
/// <c>=a|b</c> only these values. Whatever else a document sets is accepted with a warning, so that nothing is ignored in silence.
/// </summary>
internal static class HonouredFields
{
    public static HonouredFieldSet Service { get; } = new(
        "ports.*",
        "selector",
        "type=ClusterIP|NodePort|LoadBalancer",
        "sessionAffinity=None",
        "internalTrafficPolicy=Cluster",
        // How a cluster gives out addresses and lets the outside in; the mesh routes by name.
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "externalIPs",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "allocateLoadBalancerNodePorts",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "loadBalancerClass");

    public static HonouredFieldSet WorkloadEntry { get; } = new(
        "address",
        "ports",
        "labels",
        "locality",
        "weight",
        "serviceAccount");

    public static HonouredFieldSet ServiceEntry { get; } = new(
        "hosts",
        "addresses",
        "ports.*",
        "location",
        "resolution=NONE|STATIC",
        "endpoints.address",
        "endpoints.ports",
        "endpoints.labels",
        "endpoints.locality",
        "endpoints.weight",
        "endpoints.serviceAccount",
        "workloadSelector.*",
        "exportTo");

    public static HonouredFieldSet DestinationRule { get; } = new(
        "host",
        "trafficPolicy.loadBalancer.simple=UNSPECIFIED|LEAST_CONN|RANDOM|ROUND_ROBIN|LEAST_REQUEST",
        "subsets.name",
        "subsets.labels",
        "subsets.trafficPolicy.loadBalancer.simple=UNSPECIFIED|LEAST_CONN|RANDOM|ROUND_ROBIN|LEAST_REQUEST",
        "exportTo");

    public static HonouredFieldSet VirtualService { get; } = new(
        "hosts",
        "gateways=mesh",
        "http.name",
        "http.match.name",
        "http.match.uri.*",
        "http.match.scheme.*",
        "http.match.method.*",
        "http.match.authority.*",
        "http.match.headers",
        "http.match.port",
        "http.match.sourceLabels",
        "http.match.gateways=mesh",
        "http.match.queryParams",
        "http.match.ignoreUriCase",
        "http.match.withoutHeaders",
        "http.match.sourceNamespace",
        "http.match.statPrefix",
        "http.route.destination.*",
        "http.route.weight",
        "exportTo");
}
