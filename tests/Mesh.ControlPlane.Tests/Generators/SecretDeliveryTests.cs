using Google.Protobuf;
using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.K8s.V1;
using Mesh.Xds.Ads;
using Secret = Envoy.Extensions.TransportSockets.Tls.V3.Secret;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Who is sent what of a Secret. How one is read is <c>SecretTests</c>' matter, so that its content is any text here.</summary>
public class SecretDeliveryTests
{
    private static readonly Proxy Shop = Client("shop");

    private readonly ResourceCache _cache = new();

    private static Proxy Client(string @namespace, bool mayReadKeys = true, ProxyKind kind = ProxyKind.Mesh)
        => new(kind, @namespace, new Dictionary<string, string>(), mayReadKeys: mayReadKeys);

    private static ConfigResource Document(string name, string keys = "tls.crt,tls.key,ca.crt", string @namespace = "shop")
    {
        var secret = new K8s.V1.Secret();
        foreach (var key in keys.Split(','))
        {
            secret.Data[key] = ByteString.CopyFromUtf8($"{name}'s {key}");
        }

        return TestDocuments.Secret(name, secret, @namespace);
    }

    private Secret? Ask(TestMesh mesh, string name, Proxy? proxy = null)
        => _cache.Get(mesh.Model, proxy ?? Shop, TypeUrls.Secret, false, [name]).SingleOrDefault() is { } resource ? Secret.Parser.ParseFrom(resource.Body.Value) : null;

    [Fact]
    public void Certificate_and_key_go_by_the_name_and_the_authorities_by_another()
    {
        var mesh = new TestMesh(Document("client"));

        TestMesh.ShouldBeJson(Ask(mesh, "kubernetes://client")!, $$"""
            {"name":"kubernetes://client","tls_certificate":{"certificate_chain":{"inline_bytes":"{{Base64("client's tls.crt")}}"},"private_key":{"inline_bytes":"{{Base64("client's tls.key")}}"} } }
            """);
        TestMesh.ShouldBeJson(
            Ask(mesh, "kubernetes://client-cacert")!,
            $$"""{"name":"kubernetes://client-cacert","validation_context":{"trusted_ca":{"inline_bytes":"{{Base64("client's ca.crt")}}"} } }""");
        Ask(mesh, "kubernetes://shop/client")!.Name.ShouldBe("kubernetes://shop/client");

        static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public void Istios_older_names_go_before_those_of_kubectl()
    {
        var mesh = new TestMesh(Document("client", "tls.crt,tls.key,ca.crt,ca.crl,cert,key,cacert,crl"));

        Ask(mesh, "kubernetes://client")!.TlsCertificate.PrivateKey.InlineBytes.ToStringUtf8().ShouldBe("client's key");
        Ask(mesh, "kubernetes://client-cacert")!.ValidationContext.TrustedCa.InlineBytes.ToStringUtf8().ShouldBe("client's cacert");
        Ask(mesh, "kubernetes://client-cacert")!.ValidationContext.Crl.InlineBytes.ToStringUtf8().ShouldBe("client's crl");
    }

    [Fact]
    public void Authorities_may_have_a_Secret_of_their_own()
        => Ask(new TestMesh(Document("client"), Document("client-cacert", "ca.crt")), "kubernetes://client-cacert")!
            .ValidationContext.TrustedCa.InlineBytes.ToStringUtf8().ShouldBe("client-cacert's ca.crt");

    [Fact]
    public void Nobody_is_sent_a_Secret_of_another_namespace()
    {
        var mesh = new TestMesh(Document("client"));

        foreach (var name in new[] { "kubernetes://client", "kubernetes://client-cacert", "kubernetes://shop/client", "kubernetes://shop/client-cacert" })
        {
            Ask(mesh, name, Client("elsewhere")).ShouldBeNull();
        }
    }

    [Fact]
    public void Keys_stay_on_this_machine_and_authorities_are_no_secret()
    {
        var mesh = new TestMesh(Document("client"));
        Ask(mesh, "kubernetes://client").ShouldNotBeNull();

        Ask(mesh, "kubernetes://client", Client("shop", mayReadKeys: false)).ShouldBeNull();
        Ask(mesh, "kubernetes://client-cacert", Client("shop", mayReadKeys: false)).ShouldNotBeNull();
        Ask(mesh, "kubernetes://client", Client("shop", kind: ProxyKind.Grpc)).ShouldBeNull();
    }

    [Theory]
    [InlineData("client")]
    [InlineData("kubernetes://")]
    [InlineData("kubernetes://-cacert")]
    [InlineData("kubernetes://nobody")]
    [InlineData("kubernetes://client/client")]
    [InlineData("file-cert:/a~/b")]
    public void Other_names_are_nobodys(string name) => Ask(new TestMesh(Document("client")), name).ShouldBeNull();

    [Fact]
    public void A_renewed_Secret_is_told_to_those_who_may_have_asked_and_is_sent_anew()
    {
        var mesh = new TestMesh(Document("client"), Document("other"));
        var before = _cache.Get(mesh.Model, Shop, TypeUrls.Secret, false, ["kubernetes://other", "kubernetes://client"]).ToArray();

        var change = mesh.Apply(Document("client", "tls.crt,tls.key,cert,key"), Document("other"));

        change!.ByType.Keys.ShouldBe([TypeUrls.Secret]);
        change.ByType[TypeUrls.Secret]!.Order(StringComparer.Ordinal)
            .ShouldBe(["kubernetes://client", "kubernetes://client-cacert", "kubernetes://shop/client", "kubernetes://shop/client-cacert"]);
        var after = _cache.Get(mesh.Model, Shop, TypeUrls.Secret, false, ["kubernetes://other", "kubernetes://client"]).ToArray();
        after[0].ShouldBeSameAs(before[0]);
        after[1].Version.ShouldNotBe(before[1].Version);
        mesh.Apply(Document("other"))!.ByType[TypeUrls.Secret]!.ShouldContain("kubernetes://client");
        Ask(mesh, "kubernetes://client").ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"mode":"MUTUAL","credentialName":"client"}""", "")]
    [InlineData("""{"mode":"SIMPLE","credentialName":"ca"}""", "")]
    [InlineData("""{"mode":"SIMPLE","credentialName":"split"}""", "")]
    [InlineData("""{"mode":"MUTUAL","credentialName":"pair","insecureSkipVerify":true}""", "")]
    [InlineData("""{"mode":"SIMPLE","credentialName":"gone"}""", "there is no Secret shop/gone with a certificate or an authority yet; until it comes, every request fails.")]
    [InlineData("""{"mode":"MUTUAL","credentialName":"ca"}""", "Secret shop/ca (ca.yaml:1) has no certificate with a key (tls.crt and tls.key), which mode MUTUAL shows: every request will fail")]
    [InlineData("""{"mode":"MUTUAL","credentialName":"pair"}""", "Secret shop/pair (pair.yaml:1) has no authority (ca.crt), and neither is there a Secret pair-cacert with one")]
    public void Credentials_that_lead_nowhere_are_told(string tls, string expected)
    {
        ConfigResource[] documents =
        [
            TestDocuments.Service("a", """{"name":"http","port":80}""", @namespace: "shop"),
            Document("client"),
            Document("ca", "ca.crt"),
            Document("pair", "tls.crt,tls.key"),
            Document("split-cacert", "ca.crt"),
            Document("gone", @namespace: "elsewhere"),
            TestDocuments.DestinationRule("a", $$$"""{"host":"a","exportTo":["."],"subsets":[{"name":"v1","trafficPolicy":{"portLevelSettings":[{"port":{"number":80},"tls":{{{tls}}} }]}}]}""", "shop"),
        ];
        var diagnostics = new ModelDiagnostics();
        ModelAnalyzer.Analyze(TestDocuments.Snapshot(documents), new TestMesh(documents).Config, diagnostics);

        if (expected.Length == 0)
        {
            diagnostics.Found.ShouldBeEmpty();
            return;
        }

        var found = diagnostics.Found.ShouldHaveSingleItem();
        found.Severity.ShouldBe(ConfigSeverity.Warning);
        found.Path.ShouldBe("spec.subsets[0].trafficPolicy.portLevelSettings[0].tls.credentialName");
        found.Message.ShouldStartWith(expected);
    }
}
