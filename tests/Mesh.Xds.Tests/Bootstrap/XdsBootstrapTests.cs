using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;

namespace Mesh.Xds.Tests.Bootstrap;

public class XdsBootstrapTests
{
    private const string Full = """
        {
          "xds_servers": [
            { "server_uri": "unix:///etc/istio/XDS",
              "channel_creds": [{ "type": "google_default" }, { "type": "insecure" }],
              "server_features": ["xds_v3", "ignore_resource_deletion", "trusted_xds_server", "fail_on_data_errors", "resource_timer_is_transient_error", "future"] },
            { "server_uri": "istiod:15012",
              "channel_creds": [{ "type": "tls", "config": { "ca_certificate_file": "/ca", "certificate_file": "/crt", "private_key_file": "/key", "refresh_interval": "90.5s" } }] }
          ],
          "node": { "id": "n1", "cluster": "c1", "locality": { "region": "r", "zone": "z", "sub_zone": "s" }, "metadata": { "GENERATOR": "grpc", "NAMESPACE": "prod", "n": [1, null] } },
          "certificate_providers": { "default": { "plugin_name": "file_watcher", "config": { "certificate_file": "/x" } } },
          "authorities": { "other": { "client_listener_resource_name_template": "xdstp://other/%s", "xds_servers": [{ "server_uri": "o:1", "channel_creds": [{ "type": "insecure" }] }] } },
          "client_default_listener_resource_name_template": "pre/%s",
          "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%s",
          "unknown": {}
        }
        """;

    [Fact]
    public void Reads_every_field_of_gRPCs_bootstrap()
    {
        var bootstrap = BootstrapReader.Read(Full, "test");
        var (first, second) = (bootstrap.Servers[0], bootstrap.Servers[1]);
        first.ServerUri.ShouldBe("unix:///etc/istio/XDS");
        first.Tls.ShouldBeNull();
        first.Features.ShouldBe(XdsServerFeatures.XdsV3 | XdsServerFeatures.IgnoreResourceDeletion | XdsServerFeatures.TrustedXdsServer
            | XdsServerFeatures.FailOnDataErrors | XdsServerFeatures.ResourceTimerIsTransientError);
        (second.Tls!.CaCertificateFile, second.Tls.CertificateFile, second.Tls.PrivateKeyFile).ShouldBe(("/ca", "/crt", "/key"));
        second.Tls.RefreshInterval.ShouldBe(TimeSpan.FromSeconds(90.5));
        (bootstrap.Node.Id, bootstrap.Node.Cluster, bootstrap.Node.Locality.SubZone).ShouldBe(("n1", "c1", "s"));
        bootstrap.Node.Metadata.Fields["n"].ListValue.Values[0].NumberValue.ShouldBe(1);
        bootstrap.CertificateProviders["default"].PluginName.ShouldBe("file_watcher");
        bootstrap.CertificateProviders["default"].Config.GetProperty("certificate_file").GetString().ShouldBe("/x");
        bootstrap.Authorities["other"].Servers[0].ServerUri.ShouldBe("o:1");
        bootstrap.Authorities["other"].ClientListenerResourceNameTemplate.ShouldBe("xdstp://other/%s");
        bootstrap.ClientDefaultListenerResourceNameTemplate.ShouldBe("pre/%s");
        bootstrap.ServerListenerResourceNameTemplate.ShouldBe("xds.istio.io/grpc/lds/inbound/%s");
    }

    [Theory]
    [InlineData("{", "line 1", "not JSON")]
    [InlineData("[]", "$", "is Array where Object belongs")]
    [InlineData("{}", "$.xds_servers", "is missing")]
    [InlineData("""{"xds_servers":[]}""", "$.xds_servers", "has 0 entries")]
    [InlineData("""{"xds_servers":[{}]}""", "$.xds_servers[0].server_uri", "is missing")]
    [InlineData("""{"xds_servers":[{"server_uri":7}]}""", "$.xds_servers[0].server_uri", "is Number where String belongs")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:b","channel_creds":[{"type":"insecure"}]}]}""", "$.xds_servers[0].server_uri", "'b' is not a port")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1"}]}""", "$.xds_servers[0].channel_creds", "is missing")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{"type":"alts"}]}]}""", "$.xds_servers[0].channel_creds", "none of the types is supported (alts)")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{}]}]}""", "$.xds_servers[0].channel_creds[0].type", "is missing")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{"type":"tls","config":{"certificate_file":"x"}}]}]}""", "$.xds_servers[0].channel_creds[0].config", "come together")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{"type":"tls","config":{"refresh_interval":"soon"}}]}]}""", "$.xds_servers[0].channel_creds[0].config.refresh_interval", "'soon' is not a duration")]
    [InlineData("""{"xds_servers":[{"server_uri":"http://a:1","channel_creds":[{"type":"tls"}]}]}""", "$.xds_servers[0].channel_creds[0]", "says plain text")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{"type":"insecure"}]}],"node":[]}""", "$.node", "is Array")]
    [InlineData("""{"xds_servers":[{"server_uri":"a:1","channel_creds":[{"type":"insecure"}]}],"certificate_providers":{"x":{}}}""", "$.certificate_providers.x.plugin_name", "is missing")]
    public void Names_the_source_the_place_and_the_reason(string json, string path, string reason)
    {
        var error = Should.Throw<BootstrapException>(() => BootstrapReader.Read(json, "/etc/bootstrap.json"));
        error.Message.ShouldStartWith("/etc/bootstrap.json: ");
        error.Path.ShouldStartWith(path);
        error.Message.ShouldContain(reason);
    }

    [Fact]
    public void Refuses_what_is_too_large_or_too_deep()
    {
        Should.Throw<BootstrapException>(() => BootstrapReader.Read(new string(' ', 1024 * 1024 + 1), "x")).Message.ShouldContain("at most");
        Should.Throw<BootstrapException>(() => BootstrapReader.Read(new string('[', 100_000), "x")).Message.ShouldContain("not JSON");
    }

    [Fact]
    public void The_file_goes_before_the_text_per_gRFC_A27()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Full);
            Load(new MeshOptions(), ("GRPC_XDS_BOOTSTRAP", file), ("GRPC_XDS_BOOTSTRAP_CONFIG", "broken")).Servers.Count.ShouldBe(2);
            Load(new MeshOptions(), ("GRPC_XDS_BOOTSTRAP_CONFIG", Full)).Servers.Count.ShouldBe(2);
        }
        finally
        {
            File.Delete(file);
        }

        Should.Throw<BootstrapException>(() => Load(new MeshOptions(), ("GRPC_XDS_BOOTSTRAP", file))).Message.ShouldContain("cannot be read");
    }

    [Fact]
    public void The_server_of_the_options_goes_before_those_of_the_bootstrap()
    {
        var bootstrap = Load(new MeshOptions { Xds = { Server = "http://own:15010" } }, ("GRPC_XDS_BOOTSTRAP_CONFIG", Full));
        bootstrap.Servers.Single().ServerUri.ShouldBe("http://own:15010");
        bootstrap.Node.Id.ShouldBe("n1");
        Should.Throw<BootstrapException>(() => Load(new MeshOptions { Xds = { Server = "ftp://x" } })).Message.ShouldContain("Mesh:Xds:Server");
        Load(new MeshOptions()).Servers.ShouldBeEmpty();
    }

    [Fact]
    public void Annotations_are_told_and_PROXY_CONFIG_is_the_one_that_Istio_reads()
    {
        var workload = new MeshWorkload("reviews") { Annotations = { ["a"] = "b" } };
        Annotations(Load(new MeshOptions { Workload = workload })).ShouldBe(["a=b"]);
        Annotations(Load(new MeshOptions { Workload = workload }, ("PROXY_CONFIG", "{}"))).ShouldBe(["a=b", "proxy.istio.io/config={}"]);
        workload.Annotations["proxy.istio.io/config"] = "meshId: own";
        Annotations(Load(new MeshOptions { Workload = workload }, ("PROXY_CONFIG", "{}"))).ShouldBe(["a=b", "proxy.istio.io/config=meshId: own"]);
        Load(new MeshOptions()).Node.Metadata.Fields.ShouldNotContainKey("ANNOTATIONS");

        static string[] Annotations(XdsBootstrap bootstrap)
            => [.. bootstrap.Node.Metadata.Fields["ANNOTATIONS"].StructValue.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value.StringValue}")];
    }

    [Fact]
    public void The_node_is_in_Istios_format()
    {
        var workload = new MeshWorkload("reviews") { Namespace = "prod", Version = "v2", ServiceAccount = "bookinfo-reviews", Locality = "eu/eu-1/a" };
        var node = Load(new MeshOptions { Workload = workload, ClusterDomain = "mesh.local" }, ("POD_NAME", "reviews-7"), ("INSTANCE_IP", "10.0.0.7")).Node;

        node.Id.ShouldBe("sidecar~10.0.0.7~reviews-7.prod~prod.svc.mesh.local");
        node.Cluster.ShouldBe("reviews.prod");
        (node.Locality.Region, node.Locality.Zone, node.Locality.SubZone).ShouldBe(("eu", "eu-1", "a"));
        node.UserAgentName.ShouldBe("mesh");
        node.UserAgentVersion.ShouldNotBeEmpty();
        node.ClientFeatures.ShouldContain("xds.config.supports-resource-ttl");
        var metadata = node.Metadata.Fields;
        metadata["NAMESPACE"].StringValue.ShouldBe("prod");
        metadata["SERVICE_ACCOUNT"].StringValue.ShouldBe("bookinfo-reviews");
        metadata["WORKLOAD_NAME"].StringValue.ShouldBe("reviews");
        metadata["CLUSTER_ID"].StringValue.ShouldBe("Kubernetes");
        metadata["MESH_ID"].StringValue.ShouldBe("cluster.local");
        metadata["LABELS"].StructValue.Fields.ToDictionary(f => f.Key, f => f.Value.StringValue).ShouldBe(new Dictionary<string, string> { ["app"] = "reviews", ["version"] = "v2" });
    }

    [Fact]
    public void What_the_bootstrap_says_of_the_node_is_kept()
    {
        var node = Load(new MeshOptions(), ("GRPC_XDS_BOOTSTRAP_CONFIG", Full)).Node;
        node.Metadata.Fields["NAMESPACE"].StringValue.ShouldBe("prod");
        node.Metadata.Fields["GENERATOR"].StringValue.ShouldBe("grpc");
        node.Metadata.Fields.ShouldContainKey("LABELS");
    }

    [Fact]
    public void Further_servers_of_the_settings_follow_the_first_with_the_same_authorities()
    {
        var options = new MeshOptions { Xds = { Server = "https://one:15012", RootCertificates = "roots.pem" } };
        options.Xds.AlternateServers.Add("https://two:15012");
        options.Xds.AlternateServers.Add("http://three:15010");

        var servers = Load(options).Servers;

        servers.Select(server => server.ServerUri).ShouldBe(["https://one:15012", "https://two:15012", "http://three:15010"]);
        servers.Select(server => server.Tls?.CaCertificateFile).ShouldBe(["roots.pem", "roots.pem", null]);
    }

    [Fact]
    public void Further_servers_need_a_first_one_and_are_told_by_their_places()
    {
        var options = new MeshOptions();
        options.Xds.AlternateServers.Add("https://two:15012");
        Should.Throw<BootstrapException>(() => Load(options)).Message.ShouldContain("AlternateServers");

        options.Xds.Server = "https://one:15012";
        options.Xds.AlternateServers.Add("ftp://three");
        Should.Throw<BootstrapException>(() => Load(options)).Message.ShouldContain("Mesh:Xds:AlternateServers:1");
    }

    private static XdsBootstrap Load(MeshOptions options, params (string Name, string Value)[] environment)
        => XdsBootstrap.Load(options, name => environment.FirstOrDefault(e => e.Name == name).Value);
}
