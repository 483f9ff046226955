using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mode = Istio.Mesh.V1Alpha1.MeshConfig.Types.OutboundTrafficPolicy.Types.Mode;

namespace Mesh.ControlPlane.Tests.Reading;

/// <summary>The settings of a mesh, in the forms that people have them in. Whatever the form, an error has its place in the file.</summary>
public class MeshConfigFormTests
{
    private const string Plain = """
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        spec:
          outboundTrafficPolicy:
            mode: REGISTRY_ONLY
        """;

    private const string Operator = """
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {namespace: istio-system, name: demo-installation}
        spec:
          meshConfig:
            outboundTrafficPolicy:
              mode: REGISTRY_ONLY
        """;

    private const string Map = """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: istio
          namespace: istio-system
          labels: {istio.io/rev: default}
        data:
          mesh: |-
            defaultConfig:
              proxyHeaders: {attemptCount: {disabled: true}}
            # what leaves the mesh
            outboundTrafficPolicy:
              mode: REGISTRY_ONLY
            rootNamespace: istio-system
        """;

    private const string Bare = """
        outboundTrafficPolicy:
          mode: REGISTRY_ONLY
        """;

    public static TheoryData<string, string, string, string> Forms => new()
    {
        { "outside.yaml", Plain, "MeshConfig istio-system/mesh", "spec" },
        { "outside.yaml", Operator, "IstioOperator istio-system/demo-installation", "spec.meshConfig" },
        { "outside.yaml", Map, "ConfigMap istio-system/istio", "data.mesh" },
        { "config/mesh.yaml", Bare, "MeshConfig istio-system/mesh", "" },
        { "Mesh.yml", Bare, "MeshConfig istio-system/mesh", "" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_says_the_same(string file, string yaml, string resource, string path)
    {
        var text = Read(yaml, file);

        text.Diagnostics.ShouldBeEmpty();
        var document = text.Resources.ShouldHaveSingleItem();
        document.ToString().ShouldStartWith(resource);
        document.SpecPath.ShouldBe(path);
        ((MeshConfig)document.Spec).OutboundTrafficPolicy.Mode.ShouldBe(Mode.RegistryOnly);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_tells_where_an_error_is(string file, string yaml, string resource, string path)
    {
        var broken = yaml.Replace("mode: REGISTRY_ONLY", "mode: REGISTRY_NOLY");
        var line = broken.Split('\n').ToList().FindIndex(l => l.Contains("NOLY"));
        var column = broken.Split('\n')[line].IndexOf("REGISTRY", StringComparison.Ordinal) + 1;

        var text = Read(broken, file);

        text.Resources.ShouldBeEmpty();
        var told = text.Diagnostics.ShouldHaveSingleItem();
        (told.File, told.Line, told.Column).ShouldBe((file, line + 1, column));
        told.Path.ShouldBe($"{path}.outboundTrafficPolicy.mode".TrimStart('.'));
        told.Resource.ShouldBe(resource);
        told.Message.ShouldContain("REGISTRY_ONLY");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_setting_in_force_has_its_place(string file, string yaml, string resource, string path)
    {
        _ = resource;
        var lines = yaml.Split('\n').ToList();
        var document = Read("---\n" + yaml, file).Resources.Single();

        document.Source.Locate($"{path}.outboundTrafficPolicy.mode".TrimStart('.')).Line.ShouldBe(lines.FindIndex(l => l.Contains("mode:")) + 2);
    }

    [Fact]
    public void An_error_in_the_ConfigMaps_text_has_its_line_in_the_file_when_the_map_is_one_of_several_documents_of_a_list()
    {
        var items = string.Join('\n', Map.Replace("REGISTRY_ONLY", "NEVER").Split('\n').Select((line, i) => (i == 0 ? "- " : "  ") + line));
        var text = Read("apiVersion: v1\nkind: List\nitems:\n" + items, "all.yaml");

        var told = text.Diagnostics.ShouldHaveSingleItem();
        told.Line.ShouldBe(3 + Map.Split('\n').ToList().FindIndex(l => l.Contains("mode:")) + 1);
        told.Path.ShouldBe("items[0].data.mesh.outboundTrafficPolicy.mode");
    }

    [Fact]
    public void A_text_in_quotes_is_read_as_well_and_its_errors_are_told_with_the_line_in_it()
    {
        const string Yaml = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: istio, namespace: istio-system}
            data:
              mesh: "rootNamespace: istio-system\noutboundTrafficPolicy:\n  mode: NEVER\n"
            """;

        var told = Read(Yaml, "cm.yaml").Diagnostics.ShouldHaveSingleItem();

        (told.Line, told.Column).ShouldBe((5, 9));
        told.Path.ShouldBe("data.mesh.outboundTrafficPolicy.mode");
        told.Message.ShouldEndWith("(Line 3 of the text.)");
    }

    [Fact]
    public void A_text_that_is_no_YAML_is_told_at_its_line()
    {
        var told = Read(Map.Replace("mode: REGISTRY_ONLY", "mode: [REGISTRY_ONLY"), "cm.yaml").Diagnostics.ShouldHaveSingleItem();

        told.Severity.ShouldBe(ConfigSeverity.Error);
        told.Line.ShouldBeInRange(13, 14);
        told.Path.ShouldBe("data.mesh");
        told.Resource.ShouldBe("ConfigMap istio-system/istio");
    }

    [Fact]
    public void A_field_of_the_text_that_does_not_exist_is_told_with_what_was_meant()
    {
        var told = Read(Map.Replace("rootNamespace", "rootNamspace"), "cm.yaml").Diagnostics.ShouldHaveSingleItem();

        told.Line.ShouldBe(14);
        told.Message.ShouldContain("Did you mean \"rootNamespace\"?");
    }

    [Fact]
    public void What_an_IstioOperator_says_of_the_installation_is_told_once()
    {
        var text = Read(Operator + "\n  profile: demo\n  components: {}\n", "op.yaml");

        text.Resources.Count().ShouldBe(1);
        var told = text.Diagnostics.ShouldHaveSingleItem();
        told.Severity.ShouldBe(ConfigSeverity.Warning);
        told.Line.ShouldBe(4);
        told.Message.ShouldStartWith("profile, components: ");
    }

    [Fact]
    public void An_IstioOperator_without_meshConfig_is_no_MeshConfig()
        => Read("apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: gateways}\nspec: {profile: empty}\n", "op.yaml").Resources.ShouldBeEmpty();

    [Theory]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {mesh: \"x: y\"}")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-ca-root-cert}\ndata: {root-cert.pem: x}")]
    public void Other_ConfigMaps_mean_nothing_here(string yaml)
    {
        var text = Read(yaml, "cm.yaml");

        text.Resources.ShouldBeEmpty();
        text.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void The_ConfigMap_of_another_namespace_is_told_and_skipped()
    {
        var text = Read(Map.Replace("namespace: istio-system", "namespace: default"), "cm.yaml");

        text.Resources.ShouldBeEmpty();
        text.Diagnostics.ShouldHaveSingleItem().Message.ShouldContain("istio-system");
    }

    [Fact]
    public void The_networks_of_the_ConfigMap_are_read_and_told()
    {
        var text = Read(Map + "\n  meshNetworks: |-\n    networks:\n      one:\n        endpoints: [{fromRegistry: Kubernetes}]\n", "cm.yaml");

        text.Resources.Select(r => r.Kind.Kind).ShouldBe(["ConfigMap", "MeshNetworks"]);
        var told = text.Diagnostics.ShouldHaveSingleItem();
        told.Code.ShouldBe(ConfigCodes.NotApplied);
        (told.Line, told.Path).ShouldBe((16, "data.meshNetworks.networks"));
    }

    [Fact]
    public void A_ConfigMap_whose_networks_are_wrong_keeps_its_settings()
        => Read(Map + "\n  meshNetworks: |-\n    netwroks: {}\n", "cm.yaml").Resources.ShouldHaveSingleItem().Spec.ShouldBeOfType<MeshConfig>();

    [Fact]
    public void A_file_called_mesh_may_hold_other_documents()
        => Read("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n", "mesh.yaml").Resources.ShouldHaveSingleItem().Kind.ShouldBe(ConfigKinds.Service);

    [Fact]
    public void The_settings_alone_in_a_file_of_another_name_are_a_document_without_a_kind()
        => Read(Bare, "outside.yaml").Diagnostics.ShouldContain(d => d.Message.Contains("kind is missing"));

    [Theory]
    [InlineData("outboundTrafficPolicy: {}", "spec.outboundTrafficPolicy", "mode is missing")]
    [InlineData("connectTimeout: 0s", "spec.connectTimeout", "at least 1ms")]
    [InlineData("dnsRefreshRate: 1ns", "spec.dnsRefreshRate", "at least 1ms")]
    [InlineData("rootNamespace: A.b", "spec.rootNamespace", "not a namespace")]
    [InlineData("meshMTLS: {cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384, RC4]}", "spec.meshMTLS.cipherSuites[1]", "none of")]
    [InlineData("trustDomain: Cluster_local", "spec.trustDomain", "not a trust domain")]
    [InlineData("trustDomainAliases: [old.local, 'new local']", "spec.trustDomainAliases[1]", "not a trust domain")]
    [InlineData("defaultServiceExportTo: ['*', a]", "spec.defaultServiceExportTo[0]", "stands alone")]
    [InlineData("defaultVirtualServiceExportTo: [UP]", "spec.defaultVirtualServiceExportTo[0]", "must be")]
    [InlineData("defaultDestinationRuleExportTo: [a, a]", "spec.defaultDestinationRuleExportTo[1]", "given twice")]
    [InlineData("defaultHttpRetryPolicy: {attempts: 2, retryOn: sometimes}", "spec.defaultHttpRetryPolicy.retryOn", "sometimes")]
    [InlineData("tcpKeepalive: {time: 1.5s}", "spec.tcpKeepalive.time", "second")]
    [InlineData("localityLbSetting: {distribute: [{from: eu, to: {us: 50}}]}", "spec.localityLbSetting.distribute[0].to", "100")]
    [InlineData("defaultTrafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}", "spec.defaultTrafficPolicy.outlierDetection.maxEjectionPercent", "100")]
    [InlineData("extensionProviders: [{name: a, prometheus: {}}, {name: a, prometheus: {}}]", "spec.extensionProviders[1].name", "given twice")]
    [InlineData("extensionProviders: [{name: a}]", "spec.extensionProviders[0]", "says nothing")]
    [InlineData("defaultProviders: {tracing: [jaeger]}", "spec.defaultProviders.tracing[0]", "none of the extensionProviders")]
    [InlineData("{accessLogEncoding: JSON, accessLogFormat: '[%START_TIME%]'}", "spec.accessLogFormat", "JSON object")]
    [InlineData("proxyHttpPort: 70000", "spec.proxyHttpPort", "1 to 65535")]
    public void What_Istio_would_refuse_or_nobody_means_is_an_error(string spec, string path, string message)
    {
        var text = Read($"apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nspec: {(spec.StartsWith('{') ? spec : "\n  " + spec)}\n", "mesh.yaml");

        text.Resources.ShouldBeEmpty();
        var told = text.Diagnostics.First(d => d.Severity == ConfigSeverity.Error);
        told.Path.ShouldBe(path);
        told.Message.ShouldContain(message);
    }

    [Fact]
    public void A_bad_version_leaves_the_last_good_one_in_force()
    {
        var source = new InMemoryConfigSource(TimeProvider.System);
        source.Apply(Map).ShouldBeEmpty();

        source.Apply(Map.Replace("REGISTRY_ONLY", "NEVER")).ShouldHaveSingleItem();

        ((MeshConfig)source.Resources.ShouldHaveSingleItem().Spec).OutboundTrafficPolicy.Mode.ShouldBe(Mode.RegistryOnly);
        source.Diagnostics.ShouldHaveSingleItem().Line.ShouldBe(13);
    }

    private static ConfigText Read(string yaml, string file) => new ConfigReader(ConfigReaderOptions.Default, TimeProvider.System).Read(yaml, file);
}
