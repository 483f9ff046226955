using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests;

/// <summary>A model under test: what it holds, what a change to it touches, and resources as JSON.</summary>
internal sealed class TestMesh
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default
        .WithPreserveProtoFieldNames(true)
        .WithTypeRegistry(TypeRegistry.FromMessages(
            HttpConnectionManager.Descriptor,
            Router.Descriptor,
            Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor,
            Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector.Descriptor,
            Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault.Descriptor,
            Envoy.Extensions.Filters.Http.Cors.V3.Cors.Descriptor,
            Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy.Descriptor,
            Envoy.Extensions.Retry.Host.PreviousHosts.V3.PreviousHostsPredicate.Descriptor,
            Envoy.Extensions.Retry.Priority.PreviousPriorities.V3.PreviousPrioritiesConfig.Descriptor,
            Envoy.Extensions.Filters.Http.Rbac.V3.RBAC.Descriptor,
            Envoy.Extensions.Filters.Network.Rbac.V3.RBAC.Descriptor,
            Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtAuthentication.Descriptor,
            Envoy.Extensions.Path.Match.UriTemplate.V3.UriTemplateMatchConfig.Descriptor,
            Envoy.Extensions.TransportSockets.RawBuffer.V3.RawBuffer.Descriptor,
            Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext.Descriptor,
            Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext.Descriptor,
            Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Descriptor,
            Envoy.Extensions.AccessLoggers.File.V3.FileAccessLog.Descriptor,
            Envoy.Extensions.AccessLoggers.Grpc.V3.HttpGrpcAccessLogConfig.Descriptor,
            Envoy.Extensions.AccessLoggers.Grpc.V3.TcpGrpcAccessLogConfig.Descriptor,
            Envoy.Extensions.AccessLoggers.OpenTelemetry.V3.OpenTelemetryAccessLogConfig.Descriptor,
            Envoy.Extensions.AccessLoggers.Filters.Cel.V3.ExpressionFilter.Descriptor,
            Envoy.Config.Trace.V3.ZipkinConfig.Descriptor,
            Envoy.Config.Trace.V3.OpenTelemetryConfig.Descriptor,
            Envoy.Extensions.Tracers.Opentelemetry.ResourceDetectors.V3.EnvironmentResourceDetectorConfig.Descriptor,
            Stats.PluginConfig.Descriptor)));

    private readonly MeshModelBuilder _builder;

    public TestMesh(params ConfigResource[] documents)
        : this(false, documents)
    {
    }

    public TestMesh(bool retry503, params ConfigResource[] documents)
    {
        _builder = new MeshModelBuilder("cluster.local", retry503);
        Apply(documents);
    }

    public static Proxy Mesh { get; } = new(ProxyKind.Mesh, "default", new Dictionary<string, string>());

    public static Proxy Grpc { get; } = new(ProxyKind.Grpc, "default", new Dictionary<string, string>());

    public MeshModel Model => _builder.Model;

    public ConfigIndex Config => _builder.Model.Config;

    public IReadOnlyList<ConfigDiagnostic> Diagnostics { get; private set; } = [];

    public AdsChange? Apply(params ConfigResource[] documents)
    {
        var diagnostics = new ModelDiagnostics();
        var change = _builder.Update(TestDocuments.Snapshot(documents), new Dictionary<string, WorkloadInstance?>(), diagnostics);
        Diagnostics = diagnostics.Found;
        return change;
    }

    public AdsChange? Register(string id, string labels, string addresses, string @namespace = "default", string locality = "")
        => Update(id, Workload(id, labels, addresses, @namespace, locality));

    public AdsChange? Update(string id, WorkloadInstance? workload)
        => _builder.Update(null, new Dictionary<string, WorkloadInstance?> { [id] = workload }, new ModelDiagnostics());

    /// <summary>Labels and addresses are written <c>app=reviews,version=v1</c> and <c>http=10.0.0.1:8080</c>.</summary>
    public static WorkloadInstance Workload(string id, string labels, string addresses, string @namespace = "default", string locality = "") => new()
    {
        Id = id,
        Name = id,
        Namespace = @namespace,
        Labels = Pairs(labels).ToDictionary(pair => pair.Key, pair => pair.Value),
        ClusterId = "Kubernetes",
        Locality = MeshLocality.Parse(locality),
        Addresses = Pairs(addresses).ToDictionary(pair => pair.Key, pair => NetworkAddress.TryParse(pair.Value, out var address) ? address : throw new FormatException(pair.Value)),
    };

    /// <summary>The addresses of an assignment, in its order.</summary>
    public string[] Addresses(string cluster, Proxy? proxy = null)
    {
        SubsetKey.TryParse(cluster, out var key).ShouldBeTrue();
        var assignment = EndpointGenerator.Generate(proxy ?? Mesh, Model, key).ShouldNotBeNull();
        return
        [
            .. assignment.Endpoints.SelectMany(locality => locality.LbEndpoints)
                .Select(endpoint => $"{endpoint.Endpoint.Address.SocketAddress.Address}:{endpoint.Endpoint.Address.SocketAddress.PortValue}"),
        ];
    }

    public Cluster Cluster(string name, Proxy? proxy = null) => FindCluster(name, proxy).ShouldNotBeNull();

    public Cluster? FindCluster(string name, Proxy? proxy = null)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        return ClusterGenerator.Generate(proxy ?? Mesh, Model, key);
    }

    /// <summary>The assignment locality by locality: place, priority, weight and addresses.</summary>
    public string[] Places(string cluster, Proxy? proxy = null)
    {
        SubsetKey.TryParse(cluster, out var key).ShouldBeTrue();
        return PlacesOf(EndpointGenerator.Generate(proxy ?? Mesh, Model, key).ShouldNotBeNull());
    }

    public static string[] PlacesOf(ClusterLoadAssignment assignment) =>
    [
        .. assignment.Endpoints.Select(group =>
            $"{new MeshLocality(group.Locality.Region, group.Locality.Zone, group.Locality.SubZone)} p{group.Priority} w{group.LoadBalancingWeight}: "
            + string.Join(' ', group.LbEndpoints.Select(endpoint => endpoint.Endpoint.Address.SocketAddress.Address))),
    ];

    public static Proxy At(string locality, string labels = "", ProxyKind kind = ProxyKind.Mesh, string @namespace = "default", string clusterId = "")
        => new(kind, @namespace, Pairs(labels).ToDictionary(pair => pair.Key, pair => pair.Value), MeshLocality.Parse(locality), clusterId);

    public Envoy.Config.Route.V3.RouteConfiguration Routes(string name, Proxy? proxy = null)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        return RouteGenerator.Generate(proxy ?? Mesh, Config, key).ShouldNotBeNull();
    }

    /// <summary>The first route for a host.</summary>
    public Envoy.Config.Route.V3.Route Route(string name, Proxy? proxy = null) => Routes(name, proxy).VirtualHosts.ShouldHaveSingleItem().Routes[0];

    /// <summary>Route by route: what matches, and the clusters with their weights.</summary>
    public string[] RouteSummary(string name, Proxy? proxy = null) =>
    [
        .. Routes(name, proxy).VirtualHosts.ShouldHaveSingleItem().Routes.Select(route =>
            $"{route.Match.Prefix}{route.Match.Path}{route.Match.SafeRegex?.Regex} {string.Join(",", route.Match.Headers.Select(header => header.Name))}".Trim()
            + " -> "
            + (route.Route_.WeightedClusters is { } weighted
                ? string.Join(" ", weighted.Clusters.Select(cluster => $"{cluster.Name}={cluster.Weight}"))
                : route.Route_.Cluster)),
    ];

    public static string Json(IMessage message) => Formatter.Format(message);

    public static void ShouldBeJson(IMessage message, string expected)
    {
        var actual = JsonNode.Parse(Formatter.Format(message));
        if (!JsonNode.DeepEquals(actual, JsonNode.Parse(expected)))
        {
            // Shows both in the same layout.
            actual!.ToJsonString(new() { WriteIndented = true }).ShouldBe(JsonNode.Parse(expected)!.ToJsonString(new() { WriteIndented = true }));
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string text)
        => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
}
