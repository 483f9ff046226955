using System.Text.Json.Nodes;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;

namespace Mesh.Xds.Tests.Redaction;

public sealed class SecretRedactionTests
{
    [Theory]
    [InlineData("""{"tls_certificate":{"private_key":{"inline_bytes":"c2VzYW1l"},"certificate_chain":{"inline_string":"shown"}}}""")]
    [InlineData("""{"tlsCertificate":{"privateKey":{"inlineString":"sesame"},"name":"shown"}}""")]
    [InlineData("""{"request_headers_to_add":[{"header":{"key":"Authorization","value":"Basic sesame"}},{"header":{"key":"x-tame","value":"shown"}}]}""")]
    [InlineData("""{"set":{"authorization":"Bearer sesame","x-tame":"shown"}}""")]
    [InlineData("""{"headers":[{"name":"cookie","string_match":{"exact":"session=sesame"}},{"name":"x-tame","string_match":{"exact":"shown"}}]}""")]
    [InlineData("""{"headers":{"x-api-key":{"exact":"sesame"},"x-tame":{"exact":"shown"}}}""")]
    [InlineData("""{"headers":{"authorization":{"prefix":"Basic sesame"}},"shown":1}""")]
    [InlineData("""{"when":[{"key":"request.headers[x-access-token]","values":["sesame"]},{"key":"source.ip","values":["shown"]}]}""")]
    [InlineData("""{"uri":"https://user:sesame@api.example/path","shown":true}""")]
    [InlineData("""{"list":["https://sesame@api.example","shown"]}""")]
    [InlineData("""{"inline_string":"{\"keys\":[{\"kty\":\"oct\",\"k\":\"sesame\"}]}","shown":true}""")]
    [InlineData("""{"inline_string":"-----BEGIN PRIVATE KEY-----\nsesame","shown":true}""")]
    [InlineData("""{"session_ticket_keys":{"keys":[{"inline_bytes":"c2VzYW1l"}]},"shown":true}""")]
    [InlineData("""{"generic_secret":{"secret":{"inline_string":"sesame"}},"shown":true}""")]
    public void What_is_secret_goes_and_the_rest_stays(string json)
    {
        var node = JsonNode.Parse(json)!;
        SecretRedaction.Apply(node);
        var text = node.ToJsonString();
        text.ShouldNotContain("sesame");
        text.ShouldNotContain("c2VzYW1l");
        text.ShouldContain("shown");
        (text.Contains(SecretRedaction.Redacted, StringComparison.Ordinal) || text.Contains(SecretRedaction.RedactedBytes, StringComparison.Ordinal)).ShouldBeTrue(text);
    }

    [Theory]
    [InlineData("""{"hash_policy":[{"cookie":{"name":"user","ttl":"0s"}}]}""")]
    [InlineData("""{"sds_config":{"name":"kubernetes://api","initial_fetch_timeout":"0s"}}""")]
    [InlineData("""{"credentialName":"api","secretName":"api"}""")]
    [InlineData("""{"fromHeaders":[{"name":"authorization","prefix":"Bearer "}],"forwardOriginalToken":true}""")]
    [InlineData("""{"match":{"prefix":"/"},"cluster":"outbound|80||a.b"}""")]
    [InlineData("""{"jwks":"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"x\",\"e\":\"AQAB\"}]}"}""")]
    [InlineData("""{"uri":"https://api.example/mail@path","keys":[1,null,true,{"a":[]}]}""")]
    public void What_is_not_secret_stays_as_it_is(string json)
    {
        var node = JsonNode.Parse(json)!;
        SecretRedaction.Apply(node);
        JsonNode.DeepEquals(node, JsonNode.Parse(json)).ShouldBeTrue(node.ToJsonString());
    }

    [Fact]
    public void What_is_left_can_be_read_as_the_message_that_it_was()
    {
        var secret = new Envoy.Extensions.TransportSockets.Tls.V3.Secret
        {
            Name = "api",
            TlsCertificate = new() { PrivateKey = new() { InlineBytes = Google.Protobuf.ByteString.CopyFromUtf8("sesame") }, CertificateChain = new() { InlineString = "shown" } },
        };
        var json = XdsJson.Of(secret);
        SecretRedaction.Apply(json);
        var read = Google.Protobuf.JsonParser.Default.Parse<Envoy.Extensions.TransportSockets.Tls.V3.Secret>(json.ToJsonString());
        read.TlsCertificate.PrivateKey.InlineBytes.ToStringUtf8().ShouldBe(SecretRedaction.Redacted);
        read.TlsCertificate.CertificateChain.InlineString.ShouldBe("shown");
    }

    [Fact]
    public void Every_message_of_this_library_can_be_shown_when_it_is_packed_in_another()
    {
        var any = Google.Protobuf.WellKnownTypes.Any.Pack(new Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager { StatPrefix = "here" });
        XdsJson.Of(any)["stat_prefix"]!.GetValue<string>().ShouldBe("here");
        XdsJson.Of(new Google.Protobuf.WellKnownTypes.Any { TypeUrl = "type.googleapis.com/no.such.Message" }).ToJsonString().ShouldContain("no.such.Message");
    }
}
