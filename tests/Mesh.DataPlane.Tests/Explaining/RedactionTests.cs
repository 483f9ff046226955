using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Explaining;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Json;

namespace Mesh.DataPlane.Tests.Explaining;

/// <summary>What nobody may read is in no dump.</summary>
public sealed class RedactionTests
{
    private const string Hush = "hush-hush";

    [Fact]
    public void Keys_passwords_and_other_secrets_of_SDS_are_not_shown_and_certificates_are()
    {
        var text = Dump(
            TypeUrls.Secret,
            new Secret
            {
                Name = "kubernetes://bookinfo",
                TlsCertificate = new TlsCertificate
                {
                    CertificateChain = new DataSource { InlineString = "the certificate" },
                    PrivateKey = new DataSource { InlineString = Hush },
                    Password = new DataSource { InlineBytes = ByteString.CopyFromUtf8(Hush) },
                },
            });

        text.ShouldNotContain(Hush);
        text.ShouldNotContain(ByteString.CopyFromUtf8(Hush).ToBase64());
        text.ShouldContain("the certificate");
        text.ShouldContain("kubernetes://bookinfo");
    }

    [Fact]
    public void A_key_in_a_listener_is_not_shown_however_deep_it_lies_and_the_name_of_its_file_is()
    {
        var tls = new DownstreamTlsContext
        {
            CommonTlsContext = new CommonTlsContext
            {
                TlsCertificates =
                {
                    new TlsCertificate { PrivateKey = new DataSource { InlineString = Hush } },
                    new TlsCertificate { PrivateKey = new DataSource { Filename = "/etc/certs/key.pem" } },
                },
            },
        };
        var text = Dump(TypeUrls.Listener, new Listener
        {
            Name = "0.0.0.0_443",
            FilterChains = { new FilterChain { TransportSocket = new TransportSocket { Name = "tls", TypedConfig = Any.Pack(tls) } } },
        });

        text.ShouldNotContain(Hush);
        text.ShouldContain("/etc/certs/key.pem");
    }

    [Theory]
    [InlineData("authorization", true)]
    [InlineData("X-Api-Key", true)]
    [InlineData("x-vault-token", true)]
    [InlineData("x-canary", false)]
    public void Values_of_headers_that_let_somebody_in_are_not_shown(string header, bool isHidden)
    {
        var text = Dump(TypeUrls.RouteConfiguration, new RouteConfiguration
        {
            Name = "9080",
            RequestHeadersToAdd = { new HeaderValueOption { Header = new HeaderValue { Key = header, Value = Hush } } },
            VirtualHosts =
            {
                new VirtualHost
                {
                    Name = "all",
                    Domains = { "*" },
                    Routes = { new Route { Match = new RouteMatch { Headers = { new HeaderMatcher { Name = header, StringMatch = new() { Exact = Hush + "!" } } } } } },
                },
            },
        });

        text.Contains(Hush, StringComparison.Ordinal).ShouldBe(!isHidden);
        text.ShouldContain(header);
    }

    [Theory]
    [InlineData("""{"keys":[{"kty":"RSA","n":"hush-hush","e":"AQAB"}]}""", false)]
    [InlineData("""{"keys":[{"kty":"oct","k":"hush-hush"}]}""", true)]
    [InlineData("""{"keys":[{"kty":"RSA","n":"x","e":"AQAB","d":"hush-hush"}]}""", true)]
    [InlineData("hush-hush", true)]
    public void Keys_of_tokens_are_shown_when_they_are_public(string keys, bool isHidden)
    {
        var authentication = new JwtAuthentication { Providers = { ["issuer"] = new JwtProvider { Issuer = "issuer", LocalJwks = new DataSource { InlineString = keys } } } };
        var manager = new HttpConnectionManager { HttpFilters = { new HttpFilter { Name = "jwt", TypedConfig = Any.Pack(authentication) } } };
        var text = Dump(TypeUrls.Listener, new Listener { Name = "l", ApiListener = new ApiListener { ApiListener_ = Any.Pack(manager) } });

        text.Contains(Hush, StringComparison.Ordinal).ShouldBe(!isHidden);
    }

    [Fact]
    public void Metadata_and_addresses_are_looked_through_too()
    {
        var cluster = Resources.Cluster("c");
        cluster.Metadata = new Metadata { FilterMetadata = { ["app"] = new Struct { Fields = { ["dbPassword"] = Value.ForString(Hush), ["owner"] = Value.ForString("team") } } } };
        cluster.AltStatName = $"https://user:{Hush}@example.com/";

        var text = Dump(TypeUrls.Cluster, cluster);

        text.ShouldNotContain(Hush);
        text.ShouldContain("team");
        text.ShouldContain("@example.com/");
    }

    [Fact]
    public void What_is_of_an_unknown_kind_is_told_by_its_size_alone()
    {
        var text = Dump(TypeUrls.Listener, new Listener
        {
            Name = "l",
            FilterChains = { new FilterChain { TransportSocket = new TransportSocket { Name = "own", TypedConfig = new Any { TypeUrl = "type.googleapis.com/acme.Socket", Value = ByteString.CopyFromUtf8(Hush) } } } },
        });

        text.ShouldNotContain(Hush);
        text.ShouldContain("acme.Socket");
        text.ShouldContain("9 bytes of a kind that is not known here");
    }

    [Fact]
    public void A_refused_version_is_shown_beside_the_one_in_use_with_its_secrets_taken_out()
    {
        var bad = new Secret { Name = "s", TlsCertificate = new TlsCertificate { PrivateKey = new DataSource { InlineString = Hush } } };
        var status = new XdsResourceStatus(TypeUrls.Secret, "s", "NACKED", "1", "bad", null)
        {
            Body = new Secret { Name = "s" }.ToByteString(),
            Rejected = new XdsRejection("2", "private_key: is bad", DateTimeOffset.UnixEpoch, bad.ToByteString()),
        };

        var text = XdsJson.TextOf(ReceivedConfig.Of(new XdsClientStatus("server", true, null, [status]), includeEndpoints: false));

        text.ShouldNotContain(Hush);
        text.ShouldContain("private_key: is bad");
        text.ShouldContain("\"client_status\": \"NACKED\"");
    }

    [Fact]
    public void One_field_can_be_asked_for_as_Envoy_has_it()
    {
        var status = new XdsClientStatus("server", true, null, [new XdsResourceStatus(TypeUrls.Cluster, "c", "ACKED", "7", null, null) { Body = Resources.Cluster("c").ToByteString() }]);
        var all = ReceivedConfig.Of(status, includeEndpoints: false);

        ReceivedConfig.Only(all, "dynamic_active_clusters")!.Configs.ShouldHaveSingleItem().TypeUrl.ShouldEndWith("ClustersConfigDump.DynamicCluster");
        ReceivedConfig.Only(all, "dynamic_listeners")!.Configs.ShouldBeEmpty();
        ReceivedConfig.Only(all, "no_such_field").ShouldBeNull();
    }

    private static string Dump(string typeUrl, IMessage message)
        => XdsJson.TextOf(ReceivedConfig.Of(
            new XdsClientStatus("server", true, null, [new XdsResourceStatus(typeUrl, "name", "ACKED", "1", null, DateTimeOffset.UnixEpoch) { Body = message.ToByteString() }]),
            includeEndpoints: true));
}
