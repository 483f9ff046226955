using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Config.Cluster.V3;
using Mesh.ControlPlane.Tests.Debug;
using Mesh.Xds.Ads;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Metrics;

namespace Mesh.ControlPlane.Tests.Monitoring;

/// <summary>What Istio's control-plane dashboard queries, as Prometheus reads it.</summary>
public sealed class PilotMetricsTests
{
    private const string Name = "outbound|9080||reviews.default.svc.cluster.local";
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        """;

    private static string TextOf(MetricRegistry registry)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(registry, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static double? Find(DebugMesh mesh, string series)
    {
        var line = TextOf(mesh.Metrics).Split('\n').SingleOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Pushes_refusals_and_times_are_counted_by_kind()
    {
        await using var mesh = new DebugMesh(Reviews);
        Find(mesh, "pilot_services").ShouldBe(1);
        Find(mesh, "pilot_eds_no_instances").ShouldBe(1);
        Find(mesh, $"pilot_info{{version=\"{XdsNode.UserAgentVersion}\"}}").ShouldBe(1);

        // 1. A client that refuses clusters, once by a code that there is.
        var refused = 0;
        var peer = await mesh.ConnectAsync(
            "sidecar~10.0.0.9~productpage.default~default.svc.cluster.local",
            """{"NAMESPACE":"default","ISTIO_VERSION":"1.22.1"}""",
            response => response.TypeUrl == TypeUrls.Cluster && refused++ == 0 ? "no" : null);
        await peer.SubscribeAsync(TypeUrls.Cluster, Name);
        await peer.WaitForAsync<Cluster>(TypeUrls.Cluster, Name);
        Find(mesh, "pilot_xds{version=\"1.22.1\"}").ShouldBe(1);
        Find(mesh, "pilot_xds_pushes{type=\"cds\"}").ShouldBe(1);

        // 2. A document that changes that cluster: pushed, and answered.
        mesh.Apply("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: reviews}
            spec: {host: reviews, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 1s}}}}
            """);
        await mesh.SettleAsync();
        Find(mesh, "pilot_xds_pushes{type=\"cds\"}").ShouldBe(2);
        Find(mesh, "pilot_total_xds_rejects{type=\"cds\"}").ShouldBe(1);
        Find(mesh, "pilot_xds_cds_reject{node=\"sidecar~10.0.0.9~productpage.default~default.svc.cluster.local\",err=\"InvalidArgument\"}").ShouldBe(1);
        Find(mesh, "pilot_push_triggers{type=\"config\"}").ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(1);
        Find(mesh, "pilot_k8s_cfg_events{type=\"DestinationRule\",event=\"add\"}").ShouldBe(1);
        Find(mesh, "pilot_k8s_cfg_events{type=\"Service\",event=\"add\"}").ShouldBe(1);
        Find(mesh, "pilot_proxy_queue_time_count").ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(1);
        Find(mesh, "pilot_xds_push_time_count{type=\"cds\"}").ShouldBe(2);
        Find(mesh, "pilot_xds_config_size_bytes_bucket{type=\"cds\",le=\"1\"}").ShouldBe(0);
        Find(mesh, "pilot_xds_config_size_bytes_bucket{type=\"cds\",le=\"10000\"}").ShouldBe(2);

        // 3. A workload registers, and the client that it registers by goes.
        var workload = await mesh.ConnectAsync(
            "sidecar~10.0.0.2~reviews.default~default.svc.cluster.local", """{"NAMESPACE":"default","LABELS":{"app":"reviews"},"MESH_ADDRESSES":{"http":"127.0.0.1:1"}}""");
        await workload.SubscribeAsync(TypeUrls.Cluster, Name);
        await workload.WaitForAsync<Cluster>(TypeUrls.Cluster, Name);
        mesh.Discovery.Apply();
        Find(mesh, "pilot_k8s_reg_events{type=\"WorkloadInstances\",event=\"add\"}").ShouldBe(1);
        Find(mesh, "pilot_eds_no_instances").ShouldBe(0);
        Find(mesh, $"pilot_xds{{version=\"{XdsNode.UserAgentVersion}\"}}").ShouldBeNull();
    }

    [Fact]
    public async Task Rules_in_each_others_way_are_counted()
    {
        await using var mesh = new DebugMesh(Reviews);
        string Rule(string name) => $$"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: {{name}}}
            spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews} }] }] }
            """;
        string Tcp(string name) => $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{name}}}
            spec: {ports: [{name: tcp, port: 9000}]}
            """;
        Find(mesh, "pilot_vservice_dup_domain").ShouldBe(0);
        Find(mesh, "pilot_conflict_outbound_listener_tcp_over_current_tcp").ShouldBe(0);
        foreach (var yaml in new[] { Rule("one"), Rule("two"), Tcp("a"), Tcp("b"), Tcp("c") })
        {
            mesh.Apply(yaml);
        }

        Find(mesh, "pilot_virt_services").ShouldBe(2);
        Find(mesh, "pilot_vservice_dup_domain").ShouldBe(1);
        Find(mesh, "pilot_conflict_outbound_listener_tcp_over_current_tcp").ShouldBe(2);
    }

    [Fact]
    public async Task The_authority_counts_what_it_is_asked_and_tells_when_its_root_expires()
    {
        var token = Path.GetTempFileName();
        File.WriteAllText(token, "ratings-ratings-ratings-ratings");
        await using var mesh = new DebugMesh(Reviews, options => options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = token, Accounts = { "default/ratings" } }));
        var issuer = mesh.Get<ICertificateIssuer>();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = new CertificateSigningRequest(new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequest());
        var proven = DebugMesh.Local with { BearerToken = "ratings-ratings-ratings-ratings" };

        await issuer.IssueAsync(csr, proven, default);
        await Should.ThrowAsync<RpcException>(() => issuer.IssueAsync(csr, DebugMesh.Local, default));
        await Should.ThrowAsync<RpcException>(() => issuer.IssueAsync(new CertificateSigningRequest(new byte[] { 1, 2, 3 }), proven, default));
        File.Delete(token);

        Find(mesh, "citadel_server_csr_count").ShouldBe(3);
        Find(mesh, "citadel_server_success_cert_issuance_count").ShouldBe(1);
        Find(mesh, "citadel_server_authentication_failure_count").ShouldBe(1);
        Find(mesh, "citadel_server_csr_parsing_err_count").ShouldBe(1);
        var expires = Find(mesh, "citadel_server_root_cert_expiry_timestamp").ShouldNotBeNull();
        (expires - mesh.Time.GetUtcNow().ToUnixTimeSeconds()).ShouldBeInRange(3649 * 86400d, 3651 * 86400d);
        Find(mesh, "citadel_server_root_cert_expiry_seconds").ShouldNotBeNull().ShouldBeInRange(3649 * 86400d, 3651 * 86400d);
    }
}
