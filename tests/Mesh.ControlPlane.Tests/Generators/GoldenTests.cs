using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Whole resources, compared as JSON. The names and shapes are those of Istio's proxyless gRPC generator and of its EDS and CDS.</summary>
public class GoldenTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static TestMesh Bookinfo()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("reviews", """{"name":"http","port":9080,"targetPort":{"intVal":9080}}""", "\"app\":\"reviews\""),
            TestDocuments.DestinationRule("reviews", """
                {"host":"reviews","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}},"subsets":[
                  {"name":"v1","labels":{"version":"v1"}},
                  {"name":"v2","labels":{"version":"v2"},"trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"}}}]}
                """),
            TestDocuments.VirtualService("reviews-route", """
                {"hosts":["reviews"],"http":[
                  {"match":[{"headers":{"end-user":{"exact":"jason"}}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
                  {"route":[{"destination":{"host":"reviews","subset":"v1"},"weight":90},{"destination":{"host":"reviews","subset":"v2"},"weight":10}]}]}
                """));
        mesh.Register("reviews-v1-1", "app=reviews,version=v1", "http=10.0.0.1:9080", locality: "eu/a");
        mesh.Register("reviews-v2-1", "app=reviews,version=v2", "http=10.0.0.2:9080", locality: "eu/b");
        return mesh;
    }

    [Fact]
    public void A_gRPC_client_gets_the_listener_it_asked_for()
        => TestMesh.ShouldBeJson(Listener(TestMesh.Grpc, "reviews:9080"), """
            {"name":"reviews:9080",
             "address":{"socket_address":{"address":"0.0.0.0","port_value":9080}},
             "api_listener":{"api_listener":{
               "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "rds":{"config_source":{"ads":{},"resource_api_version":"V3"},"route_config_name":"outbound|9080||reviews.default.svc.cluster.local"},
               "http_filters":[
                 {"name":"envoy.filters.http.fault","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"}},
                 {"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}}
            """);

    [Fact]
    public void A_mesh_client_gets_the_same_listener_with_a_stat_prefix()
        => TestMesh.ShouldBeJson(Listener(TestMesh.Mesh, "reviews"), """
            {"name":"reviews",
             "address":{"socket_address":{"address":"0.0.0.0","port_value":9080}},
             "api_listener":{"api_listener":{
               "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix":"outbound|9080||reviews.default.svc.cluster.local",
               "rds":{"config_source":{"ads":{},"resource_api_version":"V3"},"route_config_name":"outbound|9080||reviews.default.svc.cluster.local"},
               "http_filters":[
                 {"name":"envoy.filters.http.fault","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"}},
                 {"name":"envoy.filters.http.cors","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"}},
                 {"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}}
            """);

    [Fact]
    public void A_gRPC_client_gets_routes_in_the_forms_that_every_gRPC_library_reads()
        => TestMesh.ShouldBeJson(Bookinfo().Routes(Reviews, TestMesh.Grpc), """
            {"name":"outbound|9080||reviews.default.svc.cluster.local",
             "virtual_hosts":[{
               "name":"reviews.default.svc.cluster.local:9080",
               "domains":["reviews.default.svc.cluster.local","reviews.default.svc.cluster.local:9080","reviews","reviews:9080",
                          "reviews.default.svc","reviews.default.svc:9080","reviews.default","reviews.default:9080","*"],
               "routes":[
                 {"match":{"prefix":"/","case_sensitive":true,"headers":[{"name":"end-user","exact_match":"jason"}]},
                  "route":{"cluster":"outbound|9080|v2|reviews.default.svc.cluster.local","max_stream_duration":{"max_stream_duration":"0s"},
                    "retry_policy":{"retry_on":"unavailable,cancelled","num_retries":2}},
                  "metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews-route"}}}},
                 {"match":{"prefix":"/"},
                  "route":{"weighted_clusters":{"clusters":[
                    {"name":"outbound|9080|v1|reviews.default.svc.cluster.local","weight":90},
                    {"name":"outbound|9080|v2|reviews.default.svc.cluster.local","weight":10}]},"max_stream_duration":{"max_stream_duration":"0s"},
                    "retry_policy":{"retry_on":"unavailable,cancelled","num_retries":2}},
                  "metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews-route"}}}}]}]}
            """);

    [Fact]
    public void A_mesh_client_gets_routes_in_Envoys_current_forms()
        => TestMesh.ShouldBeJson(Bookinfo().Routes(Reviews), """
            {"name":"outbound|9080||reviews.default.svc.cluster.local",
             "max_direct_response_body_size_bytes":1048576,
             "virtual_hosts":[{
               "name":"reviews.default.svc.cluster.local:9080",
               "domains":["reviews.default.svc.cluster.local","reviews.default.svc.cluster.local:9080","reviews","reviews:9080",
                          "reviews.default.svc","reviews.default.svc:9080","reviews.default","reviews.default:9080"],
               "include_request_attempt_count":true,
               "routes":[
                 {"match":{"prefix":"/","case_sensitive":true,"headers":[{"name":"end-user","string_match":{"exact":"jason"}}]},
                  "route":{"cluster":"outbound|9080|v2|reviews.default.svc.cluster.local","timeout":"0s","max_grpc_timeout":"0s",
                    "retry_policy":{"retry_on":"connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes","num_retries":2,
                      "host_selection_retry_max_attempts":"5",
                      "retry_host_predicate":[{"name":"envoy.retry_host_predicates.previous_hosts","typed_config":{
                        "@type":"type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}]}},
                  "metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews-route"}}}},
                 {"match":{"prefix":"/"},
                  "route":{"weighted_clusters":{"clusters":[
                    {"name":"outbound|9080|v1|reviews.default.svc.cluster.local","weight":90},
                    {"name":"outbound|9080|v2|reviews.default.svc.cluster.local","weight":10}]},"timeout":"0s","max_grpc_timeout":"0s",
                    "retry_policy":{"retry_on":"connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes","num_retries":2,
                      "host_selection_retry_max_attempts":"5",
                      "retry_host_predicate":[{"name":"envoy.retry_host_predicates.previous_hosts","typed_config":{
                        "@type":"type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}]}},
                  "metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews-route"}}}}]}]}
            """);

    [Fact]
    public void A_gRPC_client_gets_round_robin_clusters_whatever_the_rule_says()
        => TestMesh.ShouldBeJson(Cluster(TestMesh.Grpc, "outbound|9080|v2|reviews.default.svc.cluster.local"), """
            {"name":"outbound|9080|v2|reviews.default.svc.cluster.local","type":"EDS",
             "eds_cluster_config":{"eds_config":{"ads":{},"resource_api_version":"V3"},"service_name":"outbound|9080|v2|reviews.default.svc.cluster.local"},
             "lrs_server":{"self":{},"resource_api_version":"V3"}}
            """);

    [Fact]
    public void A_mesh_client_gets_the_load_balancer_of_the_rule()
        => TestMesh.ShouldBeJson(Cluster(TestMesh.Mesh, Reviews), """
            {"name":"outbound|9080||reviews.default.svc.cluster.local","type":"EDS",
             "eds_cluster_config":{"eds_config":{"ads":{},"resource_api_version":"V3"},"service_name":"outbound|9080||reviews.default.svc.cluster.local"},
             "connect_timeout":"10s","lb_policy":"RANDOM","common_lb_config":{},
             "circuit_breakers":{"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,
               "max_retries":4294967295,"track_remaining":true}]},
             "transport_socket_matches":[
               {"name":"tlsMode-istio","match":{"tlsMode":"istio"},"transport_socket":{"name":"envoy.transport_sockets.tls","typed_config":{
                 "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                 "common_tls_context":{
                   "tls_params":{"tls_minimum_protocol_version":"TLSv1_2","tls_maximum_protocol_version":"TLSv1_3"},
                   "tls_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                   "validation_context":{"ca_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"}},
                   "alpn_protocols":["istio-http/1.1","istio"]},
                 "sni":"outbound_.9080_._.reviews.default.svc.cluster.local"}}},
               {"name":"tlsMode-disabled","match":{},"transport_socket":{"name":"envoy.transport_sockets.raw_buffer","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}}],
             "metadata":{"filter_metadata":{"istio":{
               "config":"/apis/networking.istio.io/v1alpha3/namespaces/default/destination-rule/reviews",
               "default_original_port":9080,
               "services":[{"host":"reviews.default.svc.cluster.local","name":"reviews","namespace":"default"}]}}}}
            """);

    [Fact]
    public void Endpoints_are_grouped_by_locality_with_weights_and_say_which_workload_they_are()
        => TestMesh.ShouldBeJson(Endpoints(TestMesh.Grpc, Reviews), """
            {"cluster_name":"outbound|9080||reviews.default.svc.cluster.local","endpoints":[
              {"locality":{"region":"eu","zone":"a"},"load_balancing_weight":1,"lb_endpoints":[
                {"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":9080}}},"health_status":"HEALTHY","load_balancing_weight":1,
                 "metadata":{"filter_metadata":{"istio":{"workload":"reviews-v1-1;default;reviews;v1;Kubernetes"}}}}]},
              {"locality":{"region":"eu","zone":"b"},"load_balancing_weight":1,"lb_endpoints":[
                {"endpoint":{"address":{"socket_address":{"address":"10.0.0.2","port_value":9080}}},"health_status":"HEALTHY","load_balancing_weight":1,
                 "metadata":{"filter_metadata":{"istio":{"workload":"reviews-v2-1;default;reviews;v2;Kubernetes"}}}}]}]}
            """);

    private static Google.Protobuf.IMessage Listener(Proxy proxy, string name)
        => ListenerGenerator.Generate(proxy, MeshSettings.Default, name, Bookinfo().Config.Resolve(proxy.Namespace, name).ShouldNotBeNull());

    private static Google.Protobuf.IMessage Cluster(Proxy proxy, string name)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        return ClusterGenerator.Generate(proxy, Bookinfo().Model, key).ShouldNotBeNull();
    }

    private static Google.Protobuf.IMessage Endpoints(Proxy proxy, string name)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        return EndpointGenerator.Generate(proxy, Bookinfo().Model, key).ShouldNotBeNull();
    }
}
