using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators.Signals;

/// <summary>What the listeners of one workload say of signals, read from what a node is sent.</summary>
internal static class SignalReading
{
    public const string Inbound = "xds.istio.io/grpc/lds/inbound/0.0.0.0:9080";

    /// <summary>Both ends of reviews, a collector of traces, one of logs.</summary>
    public static readonly ConfigResource[] Services =
    [
        TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\""),
        TestDocuments.Service("mysql", """{"name":"tcp","port":3306}""", "\"app\":\"mysql\""),
        TestDocuments.Service("zipkin", """{"name":"http","port":9411}""", "\"app\":\"zipkin\"", "istio-system"),
        TestDocuments.Service("otel", """{"name":"grpc","port":4317},{"name":"http","port":4318}""", "\"app\":\"otel\"", "istio-system"),
        TestDocuments.Service("als", """{"name":"grpc","port":9090}""", "\"app\":\"als\"", "istio-system"),
    ];

    public static Proxy Reviews { get; } = Node("app=reviews,version=v3");

    /// <summary>A proxy beside the application, which is told as Istio tells it.</summary>
    public static Proxy Beside { get; } = Node("app=reviews,version=v3", isInProcess: false);

    public static Proxy Node(string labels, string @namespace = "default", ProxyKind kind = ProxyKind.Mesh, string name = "reviews-v3", bool isInProcess = true) => new(
        kind,
        @namespace,
        labels.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]),
        clusterId: "Kubernetes",
        isInProcess: isInProcess,
        workloadName: name,
        serviceCluster: "reviews.default",
        meshId: "mesh1");

    public static TestMesh Of(params ConfigResource[] documents) => new([.. Services, .. documents]);

    public static HttpConnectionManager Client(this TestMesh mesh, Proxy? proxy = null)
        => mesh.Listener(proxy ?? Reviews, "reviews.default:9080").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();

    /// <summary>The connection manager of whoever comes with a certificate.</summary>
    public static HttpConnectionManager Server(this TestMesh mesh, Proxy? proxy = null)
        => mesh.Listener(proxy ?? Reviews, Inbound).FilterChains[0].Filters[^1].TypedConfig.Unpack<HttpConnectionManager>();

    public static Listener Listener(this TestMesh mesh, Proxy proxy, string name) => mesh.Find<Listener>(proxy, TypeUrls.Listener, name).ShouldNotBeNull();

    public static T? Find<T>(this TestMesh mesh, Proxy proxy, string typeUrl, string name)
        where T : class, Google.Protobuf.IMessage<T>, new()
        => new ResourceCache().Get(mesh.Model, proxy, typeUrl, false, [name]).SingleOrDefault()?.Body.Unpack<T>();

    public static Stats.PluginConfig StatsOf(HttpConnectionManager manager)
        => manager.HttpFilters.Single(filter => filter.Name == "istio.stats").TypedConfig.Unpack<Stats.PluginConfig>();
}
