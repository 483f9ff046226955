using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators.Inbound;

/// <summary>The listeners that servers ask for. Those of gRPC servers are what Istio's gRPC generator sends.</summary>
public class InboundListenerTests
{
    private const string Name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:8080";
    private const string Strict = """{"mtls":{"mode":"STRICT"}}""";
    private const string Disable = """{"mtls":{"mode":"DISABLE"}}""";

    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080,"targetPort":{"intVal":8080}}""", "\"app\":\"reviews\"");

    [Fact]
    public void A_gRPC_server_under_STRICT_gets_TLS_and_the_policies_that_allow_and_deny()
    {
        var listener = Listener(
            ProxyKind.Grpc,
            Reviews,
            TestDocuments.PeerAuthentication("strict", Strict),
            TestDocuments.RequestAuthentication("jwt", """{"jwtRules":[{"issuer":"a","jwksUri":"https://a/keys"}]}"""),
            TestDocuments.AuthorizationPolicy("audit", """{"action":"AUDIT","rules":[{}]}"""),
            TestDocuments.AuthorizationPolicy("no-delete", """{"action":"DENY","rules":[{"to":[{"operation":{"methods":["DELETE"]}}]}]}"""),
            TestDocuments.AuthorizationPolicy("web", """{"rules":[{"from":[{"source":{"principals":["cluster.local/ns/default/sa/web"]}}]}]}"""))!;

        TestMesh.ShouldBeJson(listener, """
            {"name":"xds.istio.io/grpc/lds/inbound/0.0.0.0:8080",
             "address":{"socket_address":{"address":"0.0.0.0","port_value":8080}},
             "filter_chains":[{
               "name":"inbound-mtls",
               "filters":[{"name":"inbound-hcmmtls","typed_config":{
                 "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                 "route_config":{"name":"inbound","virtual_hosts":[{"domains":["*"],"routes":[{"match":{"prefix":"/"},"non_forwarding_action":{}}]}]},
                 "http_filters":[
                   {"name":"envoy.filters.http.rbac.DENY","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC","rules":{"action":"DENY","policies":{
                     "default-no-delete-0":{"permissions":[{"and_rules":{"rules":[{"or_rules":{"rules":[{"header":{"name":":method","string_match":{"exact":"DELETE"}}}]}}]}}],"principals":[{"and_ids":{"ids":[{"any":true}]}}]}}}}},
                   {"name":"envoy.filters.http.rbac","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC","rules":{"policies":{
                     "default-web-0":{"permissions":[{"and_rules":{"rules":[{"any":true}]}}],"principals":[{"and_ids":{"ids":[{"or_ids":{"ids":[{"authenticated":{"principal_name":{"exact":"spiffe://cluster.local/ns/default/sa/web"}}}]}}]}}]}}}}},
                   {"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}],
               "transport_socket":{"name":"envoy.transport_sockets.tls","typed_config":{
                 "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                 "common_tls_context":{
                   "tls_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                   "tls_certificate_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                   "combined_validation_context":{
                     "default_validation_context":{"ca_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"}},
                     "validation_context_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"}}},
                 "require_client_certificate":true}}}]}
            """);
    }

    [Theory]
    [InlineData(Disable, "", "inbound-plaintext")]
    [InlineData("{}", "", "inbound-plaintext")]
    [InlineData("{}", "istio", "inbound-mtls")]
    [InlineData(Disable, "istio", "inbound-plaintext")]
    [InlineData(Strict, "", "inbound-mtls")]
    public void A_gRPC_server_cannot_tell_the_two_apart_and_gets_what_its_clients_expect(string peer, string tlsMode, string expected)
    {
        var chain = Listener(ProxyKind.Grpc, tlsMode, Reviews, TestDocuments.PeerAuthentication("p", peer))!.FilterChains.ShouldHaveSingleItem();

        chain.Name.ShouldBe(expected);
        (chain.TransportSocket is not null).ShouldBe(expected == "inbound-mtls");
        chain.FilterChainMatch.ShouldBeNull();
    }

    [Fact]
    public void A_gRPC_server_is_closed_by_a_policy_without_rules_and_not_touched_by_one_on_trial()
    {
        var nothing = TestDocuments.AuthorizationPolicy("nothing", "{}");
        Manager(Listener(ProxyKind.Grpc, Reviews, nothing)!).HttpFilters.Select(filter => filter.Name).ShouldBe(["envoy.filters.http.rbac", "envoy.filters.http.router"]);

        var onTrial = nothing with { Annotations = new Dictionary<string, string> { ["istio.io/dry-run"] = "true" } };
        Manager(Listener(ProxyKind.Grpc, Reviews, onTrial)!).HttpFilters.Select(filter => filter.Name).ShouldBe(["envoy.filters.http.router"]);
    }

    [Fact]
    public void A_gRPC_server_is_told_of_ports_of_services_only_as_with_istio()
        => Listener(ProxyKind.Grpc, TestDocuments.Service("ratings", """{"port":8080}""", "\"app\":\"ratings\"")).ShouldBeNull();

    [Fact]
    public void A_mesh_server_takes_TLS_of_the_mesh_plain_text_and_leaves_other_TLS_to_the_application()
    {
        var listener = Listener(ProxyKind.Mesh, Reviews)!;

        listener.FilterChains.Select(chain => (chain.Name, chain.FilterChainMatch.TransportProtocol, chain.TransportSocket is not null)).ShouldBe([("0.0.0.0_8080", "tls", true), ("0.0.0.0_8080", "raw_buffer", false), ("0.0.0.0_8080", "tls", false)]);
        listener.FilterChains[0].FilterChainMatch.ApplicationProtocols.ShouldBe(["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"]);
        listener.FilterChains[2].FilterChainMatch.ApplicationProtocols.ShouldBeEmpty();
        listener.FilterChains[2].Filters.Select(filter => filter.Name).ShouldBe(["istio.stats", "envoy.filters.network.tcp_proxy"]);
        TestMesh.ShouldBeJson(listener.FilterChains[2].Filters[1], """
            {"name":"envoy.filters.network.tcp_proxy","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"InboundPassthroughCluster","cluster":"InboundPassthroughCluster"}}
            """);
        listener.TrafficDirection.ShouldBe(Envoy.Config.Core.V3.TrafficDirection.Inbound);
        listener.ListenerFilters.Select(filter => filter.Name).ShouldBe(["envoy.filters.listener.tls_inspector"]);
    }

    [Fact]
    public void A_mesh_server_under_STRICT_takes_TLS_of_the_mesh_and_nothing_else()
    {
        var listener = Listener(ProxyKind.Mesh, Reviews, TestDocuments.MeshConfig("""{"trustDomain":"td","trustDomainAliases":["old"]}"""), TestDocuments.PeerAuthentication("strict", Strict, "istio-system"))!;

        TestMesh.ShouldBeJson(listener, """
            {"name":"xds.istio.io/grpc/lds/inbound/0.0.0.0:8080",
             "address":{"socket_address":{"address":"0.0.0.0","port_value":8080}},
             "filter_chains":[{
               "filter_chain_match":{"transport_protocol":"tls"},
               "filters":[{"name":"envoy.filters.network.http_connection_manager","typed_config":{
                 "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                 "stat_prefix":"inbound_0.0.0.0_8080",
                 "route_config":{"name":"inbound|8080||","validate_clusters":false,"virtual_hosts":[{"name":"inbound|http|9080","domains":["*"],"routes":[{"name":"default","match":{"prefix":"/"},"non_forwarding_action":{}}]}]},
                 "http_filters":[{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig","disable_host_header_fallback":true}},{"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
                 "use_remote_address":false,
                 "forward_client_cert_details":"APPEND_FORWARD",
                 "set_current_client_cert_details":{"subject":true,"dns":true,"uri":true},
                 "stream_idle_timeout":"0s",
                 "upgrade_configs":[{"upgrade_type":"websocket"}],
                 "normalize_path":true,
                 "path_with_escaped_slashes_action":"KEEP_UNCHANGED"}}],
               "transport_socket":{"name":"envoy.transport_sockets.tls","typed_config":{
                 "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                 "common_tls_context":{
                   "tls_params":{"tls_minimum_protocol_version":"TLSv1_2","tls_maximum_protocol_version":"TLSv1_3"},
                   "tls_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                   "validation_context":{"ca_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"},"match_subject_alt_names":[{"prefix":"spiffe://td/"},{"prefix":"spiffe://old/"}]},
                   "alpn_protocols":["istio-h2","h2","istio-http/1.1","http/1.1"]},
                 "require_client_certificate":true}},
               "metadata":{"filter_metadata":{"istio":{"services":[{"host":"reviews.default.svc.cluster.local","name":"reviews","namespace":"default"}]}}},
               "name":"0.0.0.0_8080"}],
             "listener_filters":[{"name":"envoy.filters.listener.tls_inspector","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector","initial_read_buffer_size":512}}],
             "listener_filters_timeout":"0s",
             "continue_on_listener_filters_timeout":true,
             "traffic_direction":"INBOUND"}
            """);
    }

    [Fact]
    public void A_mesh_server_under_DISABLE_reads_no_TLS_and_leaves_the_applications_own_to_it()
    {
        var listener = Listener(ProxyKind.Mesh, Reviews, TestDocuments.PeerAuthentication("off", Disable))!;

        listener.FilterChains.Select(chain => chain.FilterChainMatch.TransportProtocol).ShouldBe(["raw_buffer", "tls"]);
        listener.FilterChains.ShouldAllBe(chain => chain.TransportSocket == null);
        listener.FilterChains[1].Filters[^1].Name.ShouldBe("envoy.filters.network.tcp_proxy");
    }

    [Fact]
    public void A_port_of_no_service_is_under_the_same_policies()
    {
        var listener = Listener(ProxyKind.Mesh, TestDocuments.PeerAuthentication("strict", Strict), TestDocuments.AuthorizationPolicy("nothing", "{}"))!;

        var chain = listener.FilterChains.ShouldHaveSingleItem();
        chain.Name.ShouldBe("virtualInbound-catchall-http");
        var manager = Manager(listener);
        manager.StatPrefix.ShouldBe("InboundPassthroughCluster");
        manager.HttpFilters.Select(filter => filter.Name).ShouldBe(["envoy.filters.http.rbac", "istio.stats", "envoy.filters.http.router"]);
    }

    [Fact]
    public void A_port_that_is_not_HTTP_has_the_policies_of_connections()
    {
        var mysql = TestDocuments.Service("mysql", """{"name":"tcp-mysql","port":3306,"targetPort":{"intVal":8080}}""", "\"app\":\"reviews\"");
        var listener = Listener(ProxyKind.Mesh, mysql, TestDocuments.PeerAuthentication("strict", Strict), TestDocuments.AuthorizationPolicy("web", """{"rules":[{"from":[{"source":{"namespaces":["web"]}}]}]}"""))!;

        var chain = listener.FilterChains.ShouldHaveSingleItem();
        chain.Filters.Select(filter => filter.Name).ShouldBe(["envoy.filters.network.rbac", "istio.stats", "envoy.filters.network.tcp_proxy"]);
        chain.TransportSocket.TypedConfig.Unpack<DownstreamTlsContext>().CommonTlsContext.AlpnProtocols.ShouldContain("istio");
    }

    [Fact]
    public void Filters_stand_in_istios_order()
        => Manager(Listener(
            ProxyKind.Mesh,
            Reviews,
            TestDocuments.RequestAuthentication("jwt", """{"jwtRules":[{"issuer":"a","jwksUri":"https://a/keys"}]}"""),
            TestDocuments.AuthorizationPolicy("custom", """{"action":"CUSTOM","provider":{"name":"opa"},"rules":[{"to":[{"operation":{"paths":["/admin"]}}]}]}"""),
            TestDocuments.AuthorizationPolicy("deny", """{"action":"DENY","rules":[{}]}"""))!).HttpFilters.Select(filter => filter.Name)
            .ShouldBe(["envoy.filters.http.rbac", "envoy.filters.http.jwt_authn", "envoy.filters.http.rbac", "istio.stats", "envoy.filters.http.router"]);

    [Fact]
    public void Whose_provider_is_not_there_denies_what_its_policies_match()
        => Manager(Listener(ProxyKind.Mesh, Reviews, TestDocuments.AuthorizationPolicy("custom", """{"action":"CUSTOM","provider":{"name":"opa"},"rules":[{"to":[{"operation":{"paths":["/admin"]}}]}]}"""))!)
            .HttpFilters[0].TypedConfig.Unpack<Envoy.Extensions.Filters.Http.Rbac.V3.RBAC>().Rules.ShouldSatisfyAllConditions(
                rules => rules.Action.ShouldBe(Envoy.Config.Rbac.V3.RBAC.Types.Action.Deny),
                rules => rules.Policies.Keys.ShouldBe(["istio-ext-authz-opa-ns[default]-policy[custom]-rule[0]-deny-due-to-bad-CUSTOM-action"]));

    [Fact]
    public void One_rule_of_tokens_is_that_token_or_none()
        => TestMesh.ShouldBeJson(Jwt("""
            {"jwtRules":[{"issuer":"https://issuer","audiences":["a"],"jwks":"{\"keys\":[]}","fromHeaders":[{"name":"x-token","prefix":"Token "}],"fromParams":["t"],"fromCookies":["c"],
              "outputPayloadToHeader":"x-payload","forwardOriginalToken":true,"outputClaimToHeaders":[{"header":"x-sub","claim":"sub"}],"spaceDelimitedClaims":["roles"]}]}
            """), """
            {"providers":{"origins-0":{
               "issuer":"https://issuer","audiences":["a"],"local_jwks":{"inline_string":"{\"keys\":[]}"},"forward":true,
               "from_headers":[{"name":"x-token","value_prefix":"Token "}],"from_params":["t"],"from_cookies":["c"],
               "forward_payload_header":"x-payload","payload_in_metadata":"payload",
               "normalize_payload_in_metadata":{"space_delimited_claims":["permission","roles","scope"]},
               "claim_to_headers":[{"header_name":"x-sub","claim_name":"sub"}]}},
             "rules":[{"match":{"prefix":"/"},"requires":{"requires_any":{"requirements":[{"provider_name":"origins-0"},{"allow_missing":{}}]}}}],
             "bypass_cors_preflight":true}
            """);

    [Fact]
    public void Several_rules_are_any_of_their_tokens_or_each_that_is_there()
    {
        var filter = Jwt("""{"jwtRules":[{"issuer":"b","jwks":"{}"},{"issuer":"a","jwks":"{}","timeout":"2s"}]}""");

        filter.Providers["origins-0"].Issuer.ShouldBe("a");
        TestMesh.ShouldBeJson(filter.Rules.ShouldHaveSingleItem().Requires, """
            {"requires_any":{"requirements":[{"provider_name":"origins-0"},{"provider_name":"origins-1"},{"requires_all":{"requirements":[
              {"requires_any":{"requirements":[{"provider_name":"origins-0"},{"allow_missing":{}}]}},
              {"requires_any":{"requirements":[{"provider_name":"origins-1"},{"allow_missing":{}}]}}]}}]}}
            """);
    }

    [Theory]
    [InlineData("https://issuer.example/keys", "outbound|443||issuer.example")]
    [InlineData("http://issuer.example:8080/keys", "outbound|8080||issuer.example")]
    [InlineData("http://reviews:9080/keys", "outbound|9080||reviews.default.svc.cluster.local")]
    public void Keys_are_fetched_by_the_cluster_of_their_host(string uri, string cluster)
        => TestMesh.ShouldBeJson(Jwt($$$$$$"""{"jwtRules":[{"issuer":"a","jwksUri":"{{{{{{uri}}}}}}"}]}""").Providers["origins-0"].RemoteJwks, $$$$$$"""
            {"http_uri":{"uri":"{{{{{{uri}}}}}}","cluster":"{{{{{{cluster}}}}}}","timeout":"5s"},"cache_duration":"300s"}
            """);

    [Fact]
    public void A_host_of_the_outside_has_a_cluster_for_those_whose_tokens_its_keys_verify()
    {
        var mesh = new TestMesh(TestDocuments.RequestAuthentication("jwt", """{"selector":{"matchLabels":{"app":"reviews"}},"jwtRules":[{"issuer":"a","jwksUri":"https://issuer.example/keys"}]}"""));
        var cache = new ResourceCache();

        cache.Get(mesh.Model, TestMesh.Mesh, TypeUrls.Cluster, false, ["outbound|443||issuer.example"]).ShouldBeEmpty();
        var cluster = Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(cache.Get(mesh.Model, Server(ProxyKind.Mesh), TypeUrls.Cluster, false, ["outbound|443||issuer.example"]).Single().Body.Value);

        cluster.Type.ShouldBe(Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.StrictDns);
        var tls = cluster.TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>();
        tls.Sni.ShouldBe("issuer.example");
        tls.CommonTlsContext.ValidationContext.SystemRootCerts.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("http=10.0.0.1:41234", 41234u, 8080u)]
    [InlineData("8080=10.0.0.1:41234", 41234u, 8080u)]
    [InlineData("http=10.0.0.1:41234", 8080u, 0u)]
    [InlineData("", 41234u, 8080u)]
    public void A_port_that_was_free_stands_for_the_one_that_the_service_declares(string addresses, uint number, uint declared)
    {
        var mesh = new TestMesh(Reviews);
        var server = Server(ProxyKind.Mesh, workload: addresses.Length == 0 ? null : TestMesh.Workload("reviews", "app=reviews", addresses));

        var port = InboundPort.Of(server, mesh.Config, number);

        port.Local.Number.ShouldBe(number);
        port.Local.Declared.ShouldBe(declared == 0 ? [] : [declared]);
    }

    [Theory]
    [InlineData("xds.istio.io/grpc/lds/inbound/127.0.0.1:80", true)]
    [InlineData("xds.istio.io/grpc/lds/inbound/[::]:80", true)]
    [InlineData("xds.istio.io/grpc/lds/inbound/:::80", false)]
    [InlineData("xds.istio.io/grpc/lds/inbound/127.0.0.1", false)]
    [InlineData("xds.istio.io/grpc/lds/inbound/127.0.0.1:0", false)]
    [InlineData("xds.istio.io/grpc/lds/inbound/host:80", false)]
    [InlineData("reviews:9080", false)]
    public void Only_an_address_with_a_port_is_the_name_of_such_a_listener(string name, bool expected)
        => InboundListenerName.TryParse(name, out _).ShouldBe(expected);

    private static JwtAuthentication Jwt(string spec)
        => Manager(Listener(ProxyKind.Mesh, Reviews, TestDocuments.RequestAuthentication("jwt", spec))!).HttpFilters[0].TypedConfig.Unpack<JwtAuthentication>();

    private static HttpConnectionManager Manager(Listener listener) => listener.FilterChains[0].Filters[^1].TypedConfig.Unpack<HttpConnectionManager>();

    private static Proxy Server(ProxyKind kind, string tlsMode = "", WorkloadInstance? workload = null)
    {
        var labels = new Dictionary<string, string> { ["app"] = "reviews" };
        if (tlsMode.Length > 0)
        {
            labels["security.istio.io/tlsMode"] = tlsMode;
        }

        return new Proxy(kind, "default", labels, workload: workload);
    }

    private static Listener? Listener(ProxyKind kind, params ConfigResource[] documents) => Listener(kind, "", documents);

    private static Listener? Listener(ProxyKind kind, string tlsMode, params ConfigResource[] documents)
    {
        InboundListenerName.TryParse(Name, out var address).ShouldBeTrue();
        return InboundListenerGenerator.Generate(Server(kind, tlsMode), new TestMesh(documents).Config, Name, address);
    }
}
