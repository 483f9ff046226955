using Envoy.Config.Route.V3;
using Envoy.Config.Trace.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators.Signals;

public class ProxyConfigTests
{
    private const string Tags = """{"tracing":[{"enableIstioTags":false,"customTags":{"a":{"environment":{"name":"A","defaultValue":"-"}},"b":{"environment":{"name":"B","defaultValue":"-"}}}}]}""";

    [Fact]
    public void Variables_of_the_mesh_the_namespace_and_the_workload_are_on_top_of_each_other()
    {
        var mesh = SignalReading.Of(
            TestDocuments.MeshConfig("""{"defaultConfig":{"proxyMetadata":{"A":"mesh config","B":"mesh config"}}}"""),
            TestDocuments.Telemetry("tags", Tags, "istio-system"),
            TestDocuments.ProxyConfig("root", """{"environmentVariables":{"A":"root"}}""", "istio-system"),
            TestDocuments.ProxyConfig("default", """{"environmentVariables":{"A":"namespace"}}"""),
            TestDocuments.ProxyConfig("younger", """{"environmentVariables":{"A":"younger"}}""", age: -1),
            TestDocuments.ProxyConfig("reviews", """{"selector":{"matchLabels":{"app":"reviews"}},"environmentVariables":{"A":"workload"}}""", age: 1),
            TestDocuments.ProxyConfig("reviews-2", """{"selector":{"matchLabels":{"app":"reviews"}},"environmentVariables":{"A":"second","B":"second"}}"""));

        TagsOf(mesh, SignalReading.Reviews).ShouldBe("a=workload b=mesh config");
        TagsOf(mesh, Annotated("proxyMetadata: {A: annotation, B: annotation}")).ShouldBe("a=workload b=annotation");
        TagsOf(mesh, SignalReading.Node("app=ratings")).ShouldBe("a=namespace b=mesh config");
        TagsOf(mesh, SignalReading.Node("app=reviews", "other")).ShouldBe("a=root b=mesh config");
        TagsOf(mesh, SignalReading.Node("app=reviews", "istio-system")).ShouldBe("a=root b=mesh config");
        mesh.Config.ProxyConfigs.Of(SignalReading.Reviews).ShouldBeSameAs(mesh.Config.ProxyConfigs.Of(SignalReading.Node("app=reviews,version=v3")));
    }

    [Fact]
    public void A_variable_that_no_document_sets_is_the_processs_own()
        => TagsOf(SignalReading.Of(TestDocuments.Telemetry("tags", Tags), TestDocuments.ProxyConfig("p", """{"environmentVariables":{"A":"set"}}""")), SignalReading.Reviews)
            .ShouldBe("a=set b=$B or -");

    [Fact]
    public void A_workload_says_by_its_annotation_how_it_is_traced()
    {
        var mesh = SignalReading.Of(TestDocuments.MeshConfig("""
            {"enableTracing":true,"defaultConfig":{"tracingServiceName":"CANONICAL_NAME_ONLY","tracing":{"sampling":10,"enableIstioTags":false,"customTags":{"a":{"literal":{"value":"mesh"}},"b":{"literal":{"value":"mesh"}}}}}}
            """));
        var annotated = Annotated("""
            tracing:
              sampling: 50
              maxPathTagLength: 64
              zipkin: {address: zipkin.istio-system:9411}
              customTags: {b: {literal: {value: own}}, c: {header: {name: x-c}}}
            proxyHeaders: {requestId: {disabled: true}}
            """);

        mesh.Client().Tracing.RandomSampling.Value.ShouldBe(10);
        mesh.Client().Tracing.Provider.ShouldBeNull();
        foreach (var manager in new[] { mesh.Client(annotated), mesh.Server(annotated) })
        {
            manager.Tracing.RandomSampling.Value.ShouldBe(50);
            manager.Tracing.MaxPathTagLength.ShouldBe(64u);
            manager.Tracing.CustomTags.Select(tag => $"{tag.Tag} {tag.Literal?.Value}").ShouldBe(["a mesh", "b own", "c "]);
            manager.Tracing.Provider.TypedConfig.Unpack<ZipkinConfig>().CollectorService.HttpUri.Cluster.ShouldBe("outbound|9411||zipkin.istio-system.svc.cluster.local");
            manager.GenerateRequestId.ShouldBe(false);
        }

        mesh.Client().GenerateRequestId.ShouldBeNull();
        mesh.Find<Envoy.Config.Cluster.V3.Cluster>(annotated, TypeUrls.Cluster, "outbound|9411||zipkin.istio-system.svc.cluster.local").ShouldNotBeNull();
    }

    [Fact]
    public void A_Telemetry_goes_before_an_annotation()
        => SignalReading.Of(TestDocuments.Telemetry("t", """{"tracing":[{"randomSamplingPercentage":5}]}""")).Client(Annotated("tracing: {sampling: 50}")).Tracing.RandomSampling.Value.ShouldBe(5);

    [Fact]
    public void A_workloads_proxyHeaders_are_its_own_alone()
    {
        var mesh = SignalReading.Of();
        var annotated = Annotated("proxyHeaders: {attemptCount: {disabled: true}, envoyDebugHeaders: {disabled: true}, forwardedClientCert: SANITIZE}");
        var cache = new ResourceCache();

        // One cache, as a control plane has: neither is handed what was made for the other.
        foreach (var (proxy, isTold) in new[] { (SignalReading.Reviews, true), (annotated, false), (SignalReading.Reviews, true) })
        {
            Get<RouteConfiguration>(proxy, TypeUrls.RouteConfiguration, "outbound|9080||reviews.default.svc.cluster.local").VirtualHosts[0].IncludeRequestAttemptCount.ShouldBe(isTold);
            var client = Get<Envoy.Config.Listener.V3.Listener>(proxy, TypeUrls.Listener, "reviews.default:9080").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
            client.HttpFilters[^1].TypedConfig.Unpack<Router>().SuppressEnvoyHeaders.ShouldBe(!isTold);
            var outbound = Get<Envoy.Config.Listener.V3.Listener>(proxy, TypeUrls.Listener, "virtualOutbound").ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
            outbound.RouteConfig.VirtualHosts[0].IncludeRequestAttemptCount.ShouldBe(isTold);
            var server = Get<Envoy.Config.Listener.V3.Listener>(proxy, TypeUrls.Listener, SignalReading.Inbound).FilterChains[0].Filters[^1].TypedConfig.Unpack<HttpConnectionManager>();
            server.HttpFilters[^1].TypedConfig.Unpack<Router>().SuppressEnvoyHeaders.ShouldBe(!isTold);
            server.ForwardClientCertDetails.ShouldBe(isTold ? HttpConnectionManager.Types.ForwardClientCertDetails.AppendForward : HttpConnectionManager.Types.ForwardClientCertDetails.Sanitize);
        }

        T Get<T>(Proxy proxy, string type, string name)
            where T : class, Google.Protobuf.IMessage<T>, new()
            => cache.Get(mesh.Model, proxy, type, false, [name]).Single().Body.Unpack<T>();
    }

    [Fact]
    public void Documents_in_each_others_way_are_told()
    {
        var mesh = SignalReading.Of(
            TestDocuments.ProxyConfig("old", """{}""", age: 2),
            TestDocuments.ProxyConfig("new", """{}"""),
            TestDocuments.ProxyConfig("app", """{"selector":{"matchLabels":{"app":"a"}}}""", age: 1),
            TestDocuments.ProxyConfig("app-v1", """{"selector":{"matchLabels":{"app":"a","version":"v1"}}}"""),
            TestDocuments.ProxyConfig("other", """{"selector":{"matchLabels":{"app":"b"}}}"""));
        var found = new ModelDiagnostics();
        ProxyConfigAnalyzer.Analyze(mesh.Config, found);

        found.Found.Select(diagnostic => $"{diagnostic.Code} {diagnostic.Resource} {diagnostic.Path}").Order().ShouldBe(
            ["MESH0101 ProxyConfig default/app-v1 spec.selector.matchLabels", "MESH0101 ProxyConfig default/new spec"]);
    }

    private static Proxy Annotated(string text)
    {
        var problems = new List<string>();
        var annotation = ProxyConfigAnnotation.Read(text, problems);
        problems.ShouldBeEmpty();
        return new Proxy(
            ProxyKind.Mesh,
            "default",
            SignalReading.Reviews.Labels,
            clusterId: "Kubernetes",
            workloadName: "reviews-v3",
            serviceCluster: "reviews.default",
            meshId: "mesh1",
            annotation: annotation.ShouldNotBeNull());
    }

    private static string TagsOf(TestMesh mesh, Proxy proxy)
        => string.Join(' ', mesh.Client(proxy).Tracing.CustomTags.Select(tag => $"{tag.Tag}={tag.Literal?.Value ?? $"${tag.Environment.Name} or {tag.Environment.DefaultValue}"}"));
}
