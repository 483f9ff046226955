using System.Text;
using Mesh.ControlPlane.Config;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Tests.Reading;

public class SecretTests
{
    private const string Password = "hunter2hunter2hunter2hunter2";

    private static readonly TestPems One = new("one");
    private static readonly TestPems Other = new("other");

    private static ConfigText Read(string rest) => Yamls.Read($"apiVersion: v1\nkind: Secret\nmetadata: {{name: client, namespace: shop}}\n{rest}");

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Block(string pem) => "|\n" + string.Concat(pem.Split('\n').Select(line => $"    {line}\n"));

    private static Dictionary<string, string> DataOf(ConfigText text)
    {
        text.Diagnostics.ShouldBeEmpty();
        return text.Resources.ShouldHaveSingleItem().Spec.ShouldBeOfType<Secret>().Data.ToDictionary(entry => entry.Key, entry => entry.Value.ToStringUtf8());
    }

    [Fact]
    public void Reads_what_kubectl_creates_in_base64()
        => DataOf(Read($"type: kubernetes.io/tls\ndata:\n  tls.crt: {Encoded(One.Certificate)}\n  tls.key: {Encoded(One.Key)}\n  ca.crt: {Encoded(Other.Certificate)}\n"))
            .ShouldBe(new Dictionary<string, string> { ["tls.crt"] = One.Certificate, ["tls.key"] = One.Key, ["ca.crt"] = Other.Certificate }, ignoreOrder: true);

    [Fact]
    public void Reads_text_as_it_is_before_what_is_encoded()
        => DataOf(Read($"data:\n  cert: {Encoded(Other.Certificate)}\n  cacert: {Encoded(Other.Certificate)}\nstringData:\n  cert: {Block(One.Certificate)}  key: {Block(One.EcKey)}immutable: true\n"))
            .Select(entry => (entry.Key, entry.Value.TrimEnd())).ShouldBe([("cert", One.Certificate), ("cacert", Other.Certificate), ("key", One.EcKey)], ignoreOrder: true);

    [Fact]
    public void Base64_may_be_folded()
        => DataOf(Read($"data:\n  ca.crt: {Block(string.Join('\n', Encoded(One.Certificate).Chunk(64).Select(chunk => new string(chunk))))}"))["ca.crt"].ShouldBe(One.Certificate);

    [Theory]
    [InlineData("type: Opaque\nstringData: {password: " + Password + "}")]
    [InlineData("type: Opaque\ndata: {password: '" + Password + "!'}")]
    [InlineData("type: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: e30=}")]
    [InlineData("stringData: {port: 80}")]
    [InlineData("{}")]
    public void Secrets_of_other_kinds_mean_nothing_to_a_mesh(string rest)
    {
        var text = Read(rest == "{}" ? "" : rest);

        text.Diagnostics.ShouldBeEmpty();
        text.Resources.ShouldBeEmpty();
    }

    [Fact]
    public void What_else_stands_in_it_is_not_kept_and_neither_is_the_copy_in_its_annotations()
    {
        var text = Yamls.Read(
            $"apiVersion: v1\nkind: Secret\nmetadata:\n  name: ca\n  annotations: {{kubectl.kubernetes.io/last-applied-configuration: {Password}}}\nstringData:\n  password: {Password}\n  ca.crt: {Block(One.Certificate)}");

        DataOf(text).Keys.ShouldBe(["ca.crt"]);
        text.Resources.Single().Annotations.ShouldBeEmpty();
        text.Resources.Single().ToString().ShouldBe("Secret default/ca (mesh.yaml:1)");
    }

    [Theory]
    [InlineData("data: {tls.crt: '" + Password + "!'}", "4:17 data[\"tls.crt\"] is not base64: encode it, or write it as it is under stringData.")]
    [InlineData("data: {tls.crt: 123456}", "4:17 data[\"tls.crt\"] is not base64: encode it, or write it as it is under stringData.")]
    [InlineData("stringData: {tls.key: 123456}", "4:23 stringData[\"tls.key\"] must be a string.")]
    [InlineData("data: " + Password, "4:1 data must be a mapping of names to values.")]
    [InlineData("type: kubernetes.io/tls", "1:1 data tls.crt is missing or empty: a certificate (tls.crt) and its key (tls.key) belong together.")]
    [InlineData("stringData: {ca.crt: " + Password + "}", "4:22 stringData[\"ca.crt\"] has no certificate in PEM that can be read.")]
    [InlineData("stringData: {ca.crl: " + Password + "}", "4:22 stringData[\"ca.crl\"] has no list of revoked certificates in PEM.")]
    [InlineData("stringData: {cert: " + Password + ", key: " + Password + "}", "4:20 stringData.cert has no certificate in PEM that can be read.")]
    [InlineData("stringData: {tls.key: " + Password + "}", "1:1 data tls.crt is missing or empty: a certificate (tls.crt) and its key (tls.key) belong together.")]
    [InlineData("spec: {}", "4:1 spec a Secret has no field \"spec\".")]
    public void What_is_wrong_is_told_with_its_place_and_never_quoted(string rest, string expected)
    {
        var text = Read(rest);

        Yamls.Lines(text).ShouldBe([expected]);
        text.Resources.ShouldBeEmpty();
        text.Diagnostics.ShouldAllBe(found => found.Resource == "Secret shop/client" && !found.ToString().Contains("hunter2", StringComparison.Ordinal) && !found.ToString().Contains("123456", StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_must_be_the_certificates_own_and_in_clear()
    {
        Key(Other.Key).ShouldBe("stringData[\"tls.key\"] is not the key of the first certificate of tls.crt, or cannot be read.");
        Key(One.EncryptedKey).ShouldBe("stringData[\"tls.key\"] is encrypted: give it without a password.");
        Key(One.Certificate).ShouldBe("stringData[\"tls.key\"] has no private key in PEM.");
        Key("").ShouldBe("stringData[\"tls.key\"] tls.key is missing or empty: a certificate (tls.crt) and its key (tls.key) belong together.");

        string Key(string pem)
        {
            var found = Read($"stringData:\n  tls.crt: {Block(One.Certificate)}  tls.key: {(pem.Length == 0 ? "\"\"\n" : Block(pem))}").Diagnostics.ShouldHaveSingleItem();
            found.Line.ShouldBeGreaterThan(5);
            return $"{found.Path} {found.Message}";
        }
    }
}
