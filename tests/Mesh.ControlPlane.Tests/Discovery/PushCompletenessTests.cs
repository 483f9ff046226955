using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.K8s.V1;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ControlPlane.Tests.Discovery;

/// <summary>
/// Documents come, change and go at random; whatever becomes different for a node must have been pushed to it, and what the cache hands out must
/// be what would be made afresh.
/// </summary>
public class PushCompletenessTests
{
    private static readonly string[] Types = [TypeUrls.Listener, TypeUrls.RouteConfiguration, TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment];

    /// <summary>Each of them is absent or one of its variants.</summary>
    private static readonly ConfigResource[][] Documents =
    [
        [Service("s1", "80", "\"clusterIP\":\"10.9.0.1\"", "a"), Service("s1", "80,81", "\"clusterIP\":\"10.9.0.1\"", "a"), Service("s1", "81", "\"clusterIP\":\"10.9.0.2\"", "a")],
        [Service("s2", "80", "", "b"), Service("s2", "81", "", "b"), Exported(Service("s2", "80", "", "b"), ".")],
        [Alias("s1.a.svc.cluster.local"), Alias("s2.b.svc.cluster.local"), Alias("x.example.com"), Alias("elsewhere.net")],
        [Entry("e1", "x.example.com", 80, "\"resolution\":\"NONE\",\"addresses\":[\"10.8.0.0/16\"]"), Entry("e1", "x.example.com", 80, Endpoint("10.0.0.1")), Entry("e1", "x.example.com", 81, "\"resolution\":\"DNS\",\"exportTo\":[\"b\"]")],
        [Entry("e2", "x.example.com", 81, Endpoint("10.0.0.2")), Entry("e2", "x.example.com", 80, Endpoint("10.0.0.3"))],
        [Entry("e3", "*.example.com", 80, "\"resolution\":\"NONE\"", "b"), Entry("e3", "*.example.com", 81, "\"resolution\":\"NONE\",\"exportTo\":[\".\"]", "b")],
        [Rule("v1", "a", "s1", "s2.b.svc.cluster.local"), Rule("v1", "a", "s1", "alias"), Rule("v1", "a", "s1", "s1", "\"exportTo\":[\".\"],")],
        [Rule("v2", "b", "*.example.com", "x.example.com"), Rule("v2", "b", "x.example.com", "s2"), Rule("v2", "b", "only.example.net", "s2")],
        [
            TestDocuments.DestinationRule("d1", """{"host":"s2.b.svc.cluster.local","subsets":[{"name":"v1"}]}""", "a"),
            TestDocuments.DestinationRule("d1", """{"host":"*.svc.cluster.local","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x"}}}}""", "a"),
            TestDocuments.DestinationRule("d1", """{"host":"x.example.com","workloadSelector":{"matchLabels":{"app":"web"}},"trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":7}}}}""", "a"),
        ],
        [Sidecar("own", "a", "", "\"./*\""), Sidecar("own", "a", "", "\"b/*\""), Sidecar("own", "a", "", "\"*/x.example.com\",\"./s1.a.svc.cluster.local\"")],
        [Sidecar("web", "a", "\"workloadSelector\":{\"labels\":{\"app\":\"web\"}},", "\"~/*\""), Sidecar("web", "a", "\"workloadSelector\":{\"labels\":{\"app\":\"web\"}},", "\"./*\"", 80)],
        [TestDocuments.PeerAuthentication("peer", """{"mtls":{"mode":"STRICT"}}""", "a"), TestDocuments.PeerAuthentication("peer", """{"mtls":{"mode":"DISABLE"}}""", "a")],
        [TestDocuments.PeerAuthentication("mesh", """{"mtls":{"mode":"DISABLE"}}""", "istio-system"), TestDocuments.PeerAuthentication("mesh", """{"mtls":{"mode":"STRICT"}}""", "istio-system")],
        [
            TestDocuments.AuthorizationPolicy("allow", """{"selector":{"matchLabels":{"app":"s1"}},"rules":[{"from":[{"source":{"namespaces":["b"]}}],"to":[{"operation":{"ports":["80"]}}]}]}""", "a"),
            TestDocuments.AuthorizationPolicy("allow", """{"selector":{"matchLabels":{"app":"web"}}}""", "a"),
        ],
        [
            TestDocuments.RequestAuthentication("jwt", """{"jwtRules":[{"issuer":"i","jwksUri":"https://keys.example.org/jwks"},{"issuer":"j","jwksUri":"http://x.example.com/jwks"}]}""", "a"),
            TestDocuments.RequestAuthentication("jwt", """{"selector":{"matchLabels":{"app":"s1"}},"jwtRules":[{"issuer":"i","jwksUri":"http://s2.b/jwks"}]}""", "a"),
        ],
        [
            TestDocuments.Telemetry("mesh", """{"metrics":[{"providers":[{"name":"prometheus"}],"overrides":[{"match":{"metric":"REQUEST_SIZE"},"disabled":true}]}],"tracing":[{"randomSamplingPercentage":10}]}""", "istio-system"),
            TestDocuments.Telemetry("mesh", """{"tracing":[{"providers":[{"name":"zipkin"}]}],"accessLogging":[{"providers":[{"name":"envoy"}]}]}""", "istio-system"),
        ],
        [
            TestDocuments.Telemetry("web", """{"selector":{"matchLabels":{"app":"web"}},"accessLogging":[{"providers":[{"name":"als"}],"match":{"mode":"CLIENT"}}]}""", "a"),
            TestDocuments.Telemetry("web", """{"accessLogging":[{"disabled":true}],"tracing":[{"disableSpanReporting":true,"match":{"mode":"SERVER"}},{"match":{"mode":"CLIENT"},"customTags":{"e":{"environment":{"name":"E"}}}}]}""", "a"),
        ],
        [
            TestDocuments.ProxyConfig("web", """{"selector":{"matchLabels":{"app":"web"}},"environmentVariables":{"E":"1"}}""", "a"),
            TestDocuments.ProxyConfig("web", """{"environmentVariables":{"E":"2"}}""", "a"),
        ],
        [
            TestDocuments.MeshConfig("""{"extensionProviders":[{"name":"zipkin","zipkin":{"service":"s2.b.svc.cluster.local","port":80}},{"name":"als","envoyHttpAls":{"service":"x.example.com","port":81}}]}"""),
            TestDocuments.MeshConfig("""{"accessLogFile":"/dev/stdout","defaultConfig":{"tracing":{"zipkin":{"address":"y.example.com:443"}}},"defaultProviders":{"tracing":["zipkin"]},"extensionProviders":[{"name":"zipkin","zipkin":{"service":"s2.b.svc.cluster.local","port":81}}]}"""),
        ],
        [Sidecar("root", "istio-system", "", "\"./*\""), TestDocuments.Sidecar("root", """{"outboundTrafficPolicy":{"mode":"REGISTRY_ONLY"}}""", "istio-system")],
    ];

    private static readonly Proxy[] Nodes =
    [
        new(ProxyKind.Mesh, "a", new Dictionary<string, string>()),
        new(ProxyKind.Mesh, "a", new Dictionary<string, string> { ["app"] = "web" }),
        new(ProxyKind.Mesh, "a", new Dictionary<string, string> { ["app"] = "s1" }),
        new(ProxyKind.Grpc, "a", new Dictionary<string, string> { ["app"] = "s1" }),
        new(ProxyKind.Mesh, "b", new Dictionary<string, string>()),
        new(ProxyKind.Mesh, "a", new Dictionary<string, string> { ["app"] = "web" }, isSidecar: true),
        new(ProxyKind.Grpc, "c", new Dictionary<string, string>()),
    ];

    private static readonly string[] Authorities =
    [
        "s1", "s1:80", "s1:81", "s1.a:80", "s1.a.svc.cluster.local:80", "s2.b:80", "s2.b:81", "s2.b.svc.cluster.local:80", "alias", "alias:80", "alias:81", "alias.a:80",
        "x.example.com", "x.example.com:80", "x.example.com:81", "y.example.com:80", "y.example.com:81", "only.example.net", "10.9.0.1:80", "10.9.0.2:81", "10.8.1.1:80", "10.8.1.1",
        "xds.istio.io/grpc/lds/inbound/0.0.0.0:80", "xds.istio.io/grpc/lds/inbound/[::]:81",
        "tcp://s1:80", "tcp://s1:81", "tcp://s2.b:80", "tcp://alias:80", "tcp://alias:81", "tcp://x.example.com:80", "tcp://x.example.com:81", "tcp://y.example.com:80", "tcp://10.9.0.1:80",
    ];

    private static readonly string[] Keys =
    [
        .. new[] { "s1.a.svc.cluster.local", "s2.b.svc.cluster.local", "alias.a.svc.cluster.local", "x.example.com", "*.example.com", "only.example.net", "keys.example.org", "y.example.com" }
            .SelectMany(host => new uint[] { 80, 81, 443 }.SelectMany(port => new[] { "", "v1" }.Select(subset => new SubsetKey(port, subset, host).ToString()))),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_differs_for_a_node_is_pushed_to_it_and_the_cache_hides_nothing(int seed)
    {
        var random = new Random(seed);
        var builder = new MeshModelBuilder("cluster.local");
        var cache = new ResourceCache();
        var present = new ConfigResource?[Documents.Length];
        var views = Nodes.Select(node => new NodeView(null!, "node", node, null, NullLogger.Instance)).ToArray();
        var before = Nodes.Select(node => Look(cache, builder.Model, node)).ToArray();
        var differences = 0;

        for (var step = 0; step < 150; step++)
        {
            // 1. One document comes, goes or is another one now.
            var which = random.Next(Documents.Length);
            var variants = Documents[which];
            var choice = random.Next(variants.Length + 1);
            present[which] = choice == variants.Length ? null : variants[choice];
            var documentsBefore = builder.Model.Config;
            var change = builder.Update(TestDocuments.Snapshot([.. present.OfType<ConfigResource>()]), new Dictionary<string, WorkloadInstance?>(), new ModelDiagnostics());
            var (scopes, policies) = (ScopeChange.Between(documentsBefore, builder.Model.Config), PolicyChange.Between(documentsBefore, builder.Model.Config));
            cache.Trim(builder.Model.Config);

            // 2. Who sees something else now?
            for (var i = 0; i < Nodes.Length; i++)
            {
                var after = Look(cache, builder.Model, Nodes[i]);
                Look(new ResourceCache(), builder.Model, Nodes[i]).ShouldBe(after, $"step {step}: the cache is stale");
                foreach (var key in before[i].Keys.Union(after.Keys).Where(key => before[i].GetValueOrDefault(key) != after.GetValueOrDefault(key)))
                {
                    differences++;
                    var told = scopes?.Invoke(views[i]) == true || policies?.Invoke(views[i]) == true
                        || (change is not null && change.ByType.TryGetValue(key.Type, out var names) && (names is null || key.Name == "*" || names.Contains(key.Name)));
                    told.ShouldBeTrue($"step {step} of {seed}: {present[which]?.ToString() ?? $"no {variants[0]}"} changes {key.Type} {key.Name} for node {i}, which is not told");
                }

                before[i] = after;
            }
        }

        differences.ShouldBeGreaterThan(500);
    }

    private static Dictionary<(string Type, string Name), string> Look(ResourceCache cache, MeshModel model, Proxy node)
    {
        var seen = new Dictionary<(string Type, string Name), string>();
        foreach (var type in Types)
        {
            foreach (var resource in cache.Get(model, node, type, false, type == TypeUrls.Listener ? Authorities : Keys))
            {
                seen[(type, resource.Name)] = resource.Version;
            }

            if (type is TypeUrls.Listener or TypeUrls.Cluster)
            {
                seen[(type, "*")] = string.Join(' ', cache.Get(model, node, type, true, []).Select(resource => $"{resource.Name}={resource.Version}").Order(StringComparer.Ordinal));
            }
        }

        return seen;
    }

    private static ConfigResource Service(string name, string ports, string more, string @namespace)
    {
        var service = TestDocuments.Service(name, string.Join(',', ports.Split(',').Select(port => $$"""{"name":"http-{{port}}","port":{{port}}}""")), $"\"app\":\"{name}\"", @namespace);
        if (more.Length > 0)
        {
            ((ServiceSpec)service.Spec).MergeFrom(ServiceSpec.Parser.ParseJson($"{{{more}}}"));
        }

        return service;
    }

    private static ConfigResource Exported(ConfigResource service, string exportTo)
        => service with { Annotations = new Dictionary<string, string> { ["networking.istio.io/exportTo"] = exportTo } };

    private static ConfigResource Alias(string externalName)
        => Service("alias", "80", $"\"type\":\"ExternalName\",\"externalName\":\"{externalName}\"", "a");

    private static ConfigResource Entry(string name, string host, uint port, string more, string @namespace = "a")
        => TestDocuments.ServiceEntry(name, $$"""{"hosts":["{{host}}"],"ports":[{"number":{{port}},"name":"http-{{port}}","protocol":"HTTP"}],{{more}}}""", @namespace);

    private static string Endpoint(string address) => $$"""
        "resolution":"STATIC","endpoints":[{"address":"{{address}}"}]
        """;

    private static ConfigResource Rule(string name, string @namespace, string host, string destination, string more = "")
        => TestDocuments.VirtualService(name, """{MORE"hosts":["HOST"],"http":[{"route":[{"destination":{"host":"DESTINATION"}}]}]}"""
            .Replace("MORE", more, StringComparison.Ordinal).Replace("HOST", host, StringComparison.Ordinal).Replace("DESTINATION", destination, StringComparison.Ordinal), @namespace);

    private static ConfigResource Sidecar(string name, string @namespace, string selector, string hosts, uint port = 0)
        => TestDocuments.Sidecar(name, """{SELECTOR"egress":[{PORT"hosts":[HOSTS]}]}"""
            .Replace("SELECTOR", selector, StringComparison.Ordinal)
            .Replace("PORT", port == 0 ? "" : $$"""
                "port":{"number":{{port}},"protocol":"HTTP","name":"http"},
                """, StringComparison.Ordinal)
            .Replace("HOSTS", hosts, StringComparison.Ordinal), @namespace);
}
