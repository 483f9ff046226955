using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;

namespace Mesh.Xds.Tests.Redaction;

/// <summary>What nobody may read is in no message that is shown, whichever way it got in.</summary>
public sealed class MessageRedactionTests
{
    private const string Hush = "hush-hush";
    private const string Pem = "-----BEGIN EC PRIVATE KEY-----\nhush-hush";

    public static TheoryData<string, IMessage> Hiding() => new()
    {
        { "password", new TlsCertificate { Password = new DataSource { InlineString = Hush } } },
        { "bytes of a key", new TlsCertificate { PrivateKey = new DataSource { InlineBytes = ByteString.CopyFromUtf8(Hush) } } },
        { "a key where no key belongs", new TlsCertificate { CertificateChain = new DataSource { InlineString = Pem } } },
        { "the same as bytes", new TlsCertificate { CertificateChain = new DataSource { InlineBytes = ByteString.CopyFromUtf8(Pem) } } },
        { "a provider of keys", new TlsCertificate { PrivateKeyProvider = new PrivateKeyProvider { ProviderName = "p", TypedConfig = Any.Pack(new StringValue { Value = Hush }) } } },
        { "a ticket", new DownstreamTlsContext { SessionTicketKeys = new TlsSessionTicketKeys { Keys = { new DataSource { InlineString = Hush } } } } },
        { "a generic secret", new Secret { Name = "s", GenericSecret = new GenericSecret { Secret = new DataSource { InlineString = Hush } } } },
        { "a header", new HeaderValue { Key = "Authorization", Value = Hush } },
        { "a header as bytes", new HeaderValue { Key = "x-api-key", RawValue = ByteString.CopyFromUtf8(Hush) } },
        { "a cookie that is matched", new HeaderMatcher { Name = "cookie", StringMatch = new() { SafeRegex = new() { Regex = Hush } } } },
        { "a parameter that is matched", new QueryParameterMatcher { Name = "access_token", StringMatch = new() { Exact = Hush } } },
        { "metadata", new Metadata { FilterMetadata = { ["app"] = new Struct { Fields = { ["dbPassword"] = Value.ForString(Hush) } } } } },
        { "metadata deep down", new Metadata { FilterMetadata = { ["app"] = Nested(30, new Struct { Fields = { ["password"] = Value.ForString(Hush) } }) } } },
        { "metadata that is packed", new Metadata { TypedFilterMetadata = { ["app"] = Any.Pack(new Struct { Fields = { ["apiKey"] = Value.ForString(Hush) } }) } } },
        { "a list in metadata", new Metadata { FilterMetadata = { ["app"] = new Struct { Fields = { ["keys"] = Value.ForList(Value.ForString(Pem)) } } } } },
        { "an address", new Cluster { Name = "c", AltStatName = $"https://user:{Hush}@example.com/" } },
        { "a set of keys", new DataSource { InlineString = """{"keys":[{"kty":"oct","k":"hush-hush"}]}""" } },
        { "what is packed twice", Any.Pack(Any.Pack(new HeaderValue { Key = "authorization", Value = Hush })) },
        { "what is of an unknown kind", new TransportSocket { Name = "own", TypedConfig = new Any { TypeUrl = "type.googleapis.com/acme.Socket", Value = ByteString.CopyFromUtf8(Hush) } } },
    };

    [Theory]
    [MemberData(nameof(Hiding))]
    public void What_is_secret_goes_and_the_rest_can_be_written(string what, IMessage message)
    {
        var clean = MessageRedaction.Of(message);

        clean.ToByteString().ToStringUtf8().ShouldNotContain(Hush, Case.Sensitive, what);
        var text = XdsJson.TextOf(clean);
        text.ShouldNotContain(Hush, Case.Sensitive, what);
        text.ShouldNotContain(ByteString.CopyFromUtf8(Hush).ToBase64(), Case.Sensitive, what);
        message.ToString().ShouldNotBe(clean.ToString(), "the message that is in use stays as it is");
    }

    [Fact]
    public void What_is_not_secret_stays_to_the_byte()
    {
        var cluster = new Cluster
        {
            Name = "outbound|80||auth.default.svc.cluster.local",
            Metadata = new Metadata { FilterMetadata = { ["istio"] = new Struct { Fields = { ["config"] = Value.ForString("/apis/x") } } } },
            TransportSocket = new TransportSocket
            {
                Name = "tls",
                TypedConfig = Any.Pack(new UpstreamTlsContext
                {
                    CommonTlsContext = new CommonTlsContext
                    {
                        TlsCertificateSdsSecretConfigs = { new SdsSecretConfig { Name = "kubernetes://api-token" } },
                        TlsCertificates = { new TlsCertificate { PrivateKey = new DataSource { Filename = "/etc/certs/key.pem" }, CertificateChain = new DataSource { Filename = "/etc/certs/chain.pem" } } },
                    },
                }),
            },
        };

        MessageRedaction.Of(cluster).ToByteString().ShouldBe(cluster.ToByteString());
        MessageRedaction.OfKnown(cluster).ShouldBe(cluster);
    }

    [Fact]
    public void What_lies_deeper_than_anybody_looks_is_taken_out_whole()
    {
        var clean = MessageRedaction.Of(new Metadata { FilterMetadata = { ["app"] = Nested(32, new Struct { Fields = { ["harmless"] = Value.ForString(Hush) } }) } });

        XdsJson.TextOf(clean).ShouldNotContain(Hush);
    }

    [Fact]
    public void Who_may_only_be_shown_what_is_known_is_told_when_something_is_not()
    {
        MessageRedaction.OfKnown(new Cluster { TransportSocket = new TransportSocket { TypedConfig = new Any { TypeUrl = "type.googleapis.com/who.knows" } } }).ShouldBeNull();
        MessageRedaction.Of("type.googleapis.com/who.knows", ByteString.CopyFromUtf8(Hush)).ToByteString().ToStringUtf8().ShouldNotContain(Hush);
        MessageRedaction.Of(TypeUrls.Secret, ByteString.CopyFromUtf8("\u0008no protobuf " + Hush)).ToByteString().ToStringUtf8().ShouldNotContain(Hush);
    }

    private static Struct Nested(int levels, Struct innermost)
    {
        for (var i = 0; i < levels; i++)
        {
            innermost = new Struct { Fields = { ["a"] = Value.ForStruct(innermost) } };
        }

        return innermost;
    }
}
