using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkExtAuthz = Envoy.Extensions.Filters.Network.ExtAuthz.V3.ExtAuthz;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Mesh.ControlPlane.Tests.Generators.Inbound;

/// <summary>Policies that leave the decision to an external authorizer, as Istio's builder writes them.</summary>
public class CustomPolicyTests
{
    private const string Grpc = """{"name":"opa","envoyExtAuthzGrpc":{"service":"opa.default.svc.cluster.local","port":9191}}""";
    private const string Policy = """{"action":"CUSTOM","provider":{"name":"opa"},"rules":[{"to":[{"operation":{"paths":["/admin"]}}]}]}""";

    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080,"targetPort":{"intVal":8080}}""", "\"app\":\"reviews\"");
    private static readonly ConfigResource Opa = TestDocuments.Service("opa", """{"name":"grpc","port":9191}""", "\"app\":\"opa\"");

    [Fact]
    public void Rules_mark_what_they_match_and_the_provider_is_asked_about_that()
    {
        var filters = Filters(Providers(Grpc), TestDocuments.AuthorizationPolicy("custom", Policy));

        filters.Select(f => f.Name).ShouldBe(["envoy.filters.http.rbac", "envoy.filters.http.ext_authz", "istio.stats", "envoy.filters.http.router"]);
        var rbac = filters[0].TypedConfig.Unpack<HttpRbac>();
        rbac.Rules.ShouldBeNull();
        rbac.ShadowRulesStatPrefix.ShouldBe("istio_ext_authz_");
        rbac.ShadowRules.Action.ShouldBe(Envoy.Config.Rbac.V3.RBAC.Types.Action.Deny);
        rbac.ShadowRules.Policies.Keys.ShouldBe(["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]"]);
        TestMesh.ShouldBeJson(filters[1].TypedConfig.Unpack<ExtAuthz>(), """
            {"grpc_service":{"envoy_grpc":{"cluster_name":"outbound|9191||opa.default.svc.cluster.local","authority":"opa.default.svc.cluster.local"},"timeout":"600s"},
             "transport_api_version":"V3",
             "filter_enabled_metadata":{"filter":"envoy.filters.http.rbac","path":[{"key":"istio_ext_authz_shadow_effective_policy_id"}],
               "value":{"string_match":{"prefix":"istio-ext-authz-opa"}}}}
            """);
    }

    [Fact]
    public void An_HTTP_provider_says_everything_that_Istio_lets_it_say()
    {
        var filters = Filters(
            Providers("""
                {"name":"opa","envoyExtAuthzHttp":{"service":"default/opa.default.svc.cluster.local","port":9191,"timeout":"2s","pathPrefix":"/check","failOpen":true,"clearRouteCache":true,
                 "statusOnError":"503","includeRequestHeadersInCheck":["cookie","x-*","*-id"],"includeAdditionalHeadersInCheck":{"x-b":"2","x-a":"1"},
                 "includeRequestBodyInCheck":{"maxRequestBytes":1024,"allowPartialMessage":true,"packAsBytes":true},
                 "headersToUpstreamOnAllow":["x-user"],"headersToDownstreamOnDeny":["set-cookie"],"headersToDownstreamOnAllow":["x-checked"]}}
                """),
            TestDocuments.AuthorizationPolicy("custom", Policy));

        TestMesh.ShouldBeJson(filters[1].TypedConfig.Unpack<ExtAuthz>(), """
            {"http_service":{
               "server_uri":{"uri":"http://opa.default.svc.cluster.local","cluster":"outbound|9191||opa.default.svc.cluster.local","timeout":"2s"},
               "path_prefix":"/check",
               "authorization_request":{"headers_to_add":[{"key":"x-a","value":"1"},{"key":"x-b","value":"2"}]},
               "authorization_response":{
                 "allowed_upstream_headers":{"patterns":[{"exact":"x-user","ignore_case":true}]},
                 "allowed_client_headers":{"patterns":[{"exact":"set-cookie","ignore_case":true}]},
                 "allowed_client_headers_on_success":{"patterns":[{"exact":"x-checked","ignore_case":true}]}}},
             "transport_api_version":"V3","failure_mode_allow":true,"clear_route_cache":true,"status_on_error":{"code":"ServiceUnavailable"},
             "with_request_body":{"max_request_bytes":1024,"allow_partial_message":true,"pack_as_bytes":true},
             "allowed_headers":{"patterns":[{"exact":"cookie","ignore_case":true},{"prefix":"x-","ignore_case":true},{"suffix":"-id","ignore_case":true}]},
             "filter_enabled_metadata":{"filter":"envoy.filters.http.rbac","path":[{"key":"istio_ext_authz_shadow_effective_policy_id"}],
               "value":{"string_match":{"prefix":"istio-ext-authz-opa"}}}}
            """);
    }

    [Theory]
    [InlineData("""{"name":"other","envoyExtAuthzGrpc":{"service":"opa.default.svc.cluster.local","port":9191}}""")]
    [InlineData("""{"name":"opa","prometheus":{}}""")]
    [InlineData("""{"name":"opa","envoyExtAuthzGrpc":{"service":"nobody.default.svc.cluster.local","port":9191}}""")]
    [InlineData("""{"name":"opa","envoyExtAuthzGrpc":{"service":"opa.default.svc.cluster.local","port":9192}}""")]
    [InlineData("""{"name":"opa","envoyExtAuthzGrpc":{"service":"elsewhere/opa.default.svc.cluster.local","port":9191}}""")]
    public void Who_cannot_be_asked_denies_what_the_policy_matches(string provider)
        => Denied(Filters(Providers(provider), TestDocuments.AuthorizationPolicy("custom", Policy))).ShouldBe(
            ["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]-deny-due-to-bad-CUSTOM-action"]);

    [Fact]
    public void Two_providers_for_one_workload_deny_what_either_would_be_asked_about()
        => Denied(Filters(
            Providers(Grpc, """{"name":"second","envoyExtAuthzGrpc":{"service":"opa.default.svc.cluster.local","port":9191}}"""),
            TestDocuments.AuthorizationPolicy("custom", Policy),
            TestDocuments.AuthorizationPolicy("more", """{"action":"CUSTOM","provider":{"name":"second"},"rules":[{}]}"""))).Length.ShouldBe(2);

    [Fact]
    public void The_workload_gets_the_providers_cluster_even_where_its_Sidecar_does_not_name_it()
    {
        var mesh = Mesh(Providers(Grpc), TestDocuments.AuthorizationPolicy("custom", Policy), TestDocuments.Sidecar("none", """{"egress":[{"hosts":["./nothing"]}]}"""));
        var cache = new ResourceCache();

        cache.Get(mesh.Model, Server, TypeUrls.Cluster, false, ["outbound|9191||opa.default.svc.cluster.local"]).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_change_of_the_providers_is_a_change_of_the_listener()
    {
        var config = Mesh(Providers(Grpc), TestDocuments.AuthorizationPolicy("custom", Policy)).Model.Config;
        var after = Mesh(Providers(Grpc.Replace("9191", "9192")), TestDocuments.AuthorizationPolicy("custom", Policy)).Model.Config;

        PolicyChange.Between(config, after).ShouldNotBeNull();
        InboundInputs.Of(Server, config).SequenceEqual(InboundInputs.Of(Server, after)).ShouldBeFalse();
    }

    [Fact]
    public void About_connections_a_gRPC_provider_is_asked()
    {
        var filters = NetworkFilters(Grpc);

        filters.Select(f => f.Name).ShouldBe(["envoy.filters.network.rbac", "envoy.filters.network.ext_authz", "istio.stats", "envoy.filters.network.tcp_proxy"], ignoreOrder: true);
        var rbac = filters[0].TypedConfig.Unpack<NetworkRbac>();
        rbac.Rules.ShouldBeNull();
        (rbac.StatPrefix, rbac.ShadowRulesStatPrefix).ShouldBe(("tcp.", "istio_ext_authz_"));
        rbac.ShadowRules.Policies.Keys.ShouldBe(["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]"]);
        TestMesh.ShouldBeJson(filters[1].TypedConfig.Unpack<NetworkExtAuthz>(), """
            {"stat_prefix":"tcp.",
             "grpc_service":{"envoy_grpc":{"cluster_name":"outbound|9191||opa.default.svc.cluster.local","authority":"opa.default.svc.cluster.local"},"timeout":"600s"},
             "transport_api_version":"V3",
             "filter_enabled_metadata":{"filter":"envoy.filters.network.rbac","path":[{"key":"istio_ext_authz_shadow_effective_policy_id"}],
               "value":{"string_match":{"prefix":"istio-ext-authz-opa"}}}}
            """);
    }

    [Theory]
    [InlineData("""{"name":"opa","envoyExtAuthzHttp":{"service":"opa.default.svc.cluster.local","port":9191}}""")]
    [InlineData("""{"name":"other","envoyExtAuthzGrpc":{"service":"opa.default.svc.cluster.local","port":9191}}""")]
    [InlineData("""{"name":"opa","envoyExtAuthzGrpc":{"service":"nobody.default.svc.cluster.local","port":9191}}""")]
    public void About_connections_whoever_cannot_be_asked_denies(string provider)
    {
        var filters = NetworkFilters(provider);

        filters.ShouldNotContain(f => f.Name == "envoy.filters.network.ext_authz");
        filters[0].TypedConfig.Unpack<NetworkRbac>().Rules.Policies.Keys.ShouldBe(["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]-deny-due-to-bad-CUSTOM-action"]);
    }

    private static IReadOnlyList<Envoy.Config.Listener.V3.Filter> NetworkFilters(string provider)
    {
        const string name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:3306";
        InboundListenerName.TryParse(name, out var address).ShouldBeTrue();
        var mesh = new TestMesh([
            TestDocuments.Service("mysql", """{"name":"tcp","port":3306}""", "\"app\":\"reviews\""),
            Opa,
            Providers(provider),
            TestDocuments.AuthorizationPolicy("custom", """{"action":"CUSTOM","provider":{"name":"opa"},"rules":[{"from":[{"source":{"namespaces":["shop"]}}]}]}""")]);
        return InboundListenerGenerator.Generate(Server, mesh.Config, name, address)!.FilterChains[0].Filters;
    }

    private static string[] Denied(IReadOnlyList<HttpFilter> filters)
    {
        filters.ShouldNotContain(f => f.Name == "envoy.filters.http.ext_authz");
        return [.. filters.Where(f => f.Name == "envoy.filters.http.rbac").Select(f => f.TypedConfig.Unpack<HttpRbac>()).SelectMany(r => r.Rules.Policies.Keys)];
    }

    private static Proxy Server => new(ProxyKind.Mesh, "default", new Dictionary<string, string> { ["app"] = "reviews" });

    private static ConfigResource Providers(params string[] providers) => TestDocuments.MeshConfig($$"""{"extensionProviders":[{{string.Join(',', providers)}}]}""");

    private static TestMesh Mesh(params ConfigResource[] documents) => new([Reviews, Opa, .. documents]);

    private static IReadOnlyList<HttpFilter> Filters(params ConfigResource[] documents)
    {
        const string name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:8080";
        InboundListenerName.TryParse(name, out var address).ShouldBeTrue();
        var listener = InboundListenerGenerator.Generate(Server, new TestMesh([Reviews, Opa, .. documents]).Config, name, address)!;
        return listener.FilterChains[0].Filters[^1].TypedConfig.Unpack<HttpConnectionManager>().HttpFilters;
    }
}
