using System.Net;
using System.Security.Authentication;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Mesh.Client.Tests.Tls;

/// <summary>Workload to workload: each shows its identity, and the caller sees that it speaks to whom it means.</summary>
public sealed class MutualTlsTests
{
    [Fact]
    public async Task A_workload_shows_who_it_is_and_asks_for_the_service_by_Istios_name()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(MeshAlpn.Http11, MeshAlpn.Any), server.Port);

        (await world.GetAsync()).ShouldBe((200, "hello"));

        var seen = server.Seen.ShouldHaveSingleItem();
        seen.Caller.ShouldBe(WorkloadCertificates.Account("productpage"));
        seen.ServerName.ShouldBe(MutualTlsWorld.Sni);
        seen.Host.ShouldBe("reviews:9080");
        seen.Alpn.ShouldBe(MeshAlpn.Http11);
        seen.Protocol.ShouldBe("HTTP/1.1");
        seen.Version.ShouldBe(SslProtocols.Tls13);
    }

    [Theory]
    [InlineData(MeshAlpn.Http2, MeshAlpn.Http2, MeshAlpn.Any)]
    [InlineData(MeshAlpn.Any, MeshAlpn.Any, "h2")]
    [InlineData("h2", "h2")]
    [InlineData(MeshAlpn.Http2)]
    public async Task HTTP2_keeps_the_scheme_of_the_application_by_whatever_name_it_is_agreed_on(string agreed, params string[] offered)
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync(http2: true);
        world.Serve(
            cluster =>
            {
                MutualTlsWorld.Http2(cluster);
                cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context(offered));
            },
            server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);
        (await world.GetAsync()).Status.ShouldBe(200);

        server.Seen.ShouldAllBe(seen => seen.Protocol == "HTTP/2" && seen.Scheme == "http" && seen.Alpn == agreed && seen.ServerName == MutualTlsWorld.Sni);
        server.Handshakes.ShouldBe(1);
    }

    [Fact]
    public async Task A_workload_without_an_identity_sends_nothing_and_says_so()
    {
        await using var world = new MutualTlsWorld(hasIdentity: false);
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);

        var answer = await world.GetAsync();

        answer.Status.ShouldBe(503);
        answer.Body.ShouldEndWith("transport failure reason: TLS_error:|Secret is not supplied by SDS: the workload has no identity:TLS_error_end");
        server.Seen.ShouldBeEmpty();
        world.Mesh.Logs.Lines.Where(l => l.Contains("Mesh:Identity")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Requests_wait_for_the_identity_that_is_on_its_way()
    {
        await using var world = new MutualTlsWorld();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        var answer = world.GetAsync();
        world.Identity.Watched.ShouldBe(["default", "ROOTCA"], ignoreOrder: true);

        answer.IsCompleted.ShouldBeFalse();
        world.Identify();

        (await answer).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_identity_that_does_not_come_holds_nobody_for_ever()
    {
        var time = new Mesh.Testing.ManualTimeProvider();
        await using var world = new MutualTlsWorld(time: time);
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        var answer = world.GetAsync();
        answer.IsCompleted.ShouldBeFalse();

        time.Advance(new MeshOptions().Xds.ResourceTimeout);

        (await answer).Body.ShouldContain("Secret is not supplied by SDS");
        server.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_names_of_the_workloads_own_secrets_are_not_asked_for_at_the_control_plane()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        var context = MutualTlsWorld.Context();
        context.CommonTlsContext.TlsCertificateProviderInstance = null;
        context.CommonTlsContext.TlsCertificateSdsSecretConfigs.Add(new SdsSecretConfig { Name = "default", SdsConfig = Agent() });
        context.CommonTlsContext.CombinedValidationContext.DefaultValidationContext.CaCertificateProviderInstance = null;
        context.CommonTlsContext.CombinedValidationContext.ValidationContextSdsSecretConfig = new SdsSecretConfig { Name = "ROOTCA", SdsConfig = Agent() };
        world.Serve(context, server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        world.Mesh.Xds.Watched.ShouldNotContain(w => w.TypeUrl == SecretType.Instance.TypeUrl);
        server.Seen.ShouldHaveSingleItem().Caller.ShouldBe(WorkloadCertificates.Account("productpage"));

        static ConfigSource Agent() => new()
        {
            ApiConfigSource = new ApiConfigSource { ApiType = ApiConfigSource.Types.ApiType.Grpc },
        };
    }

    // Byte for byte of fields what Istio's gRPC generator makes of ISTIO_MUTUAL: no ALPN, instances in the older fields, no secret's name beside them.
    [Fact]
    public async Task What_Istio_sends_to_gRPC_is_understood()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync(protocols: ["h2"], http2: true);
#pragma warning disable CS0612
        var context = new UpstreamTlsContext
        {
            Sni = MutualTlsWorld.Sni,
            CommonTlsContext = new CommonTlsContext
            {
                TlsCertificateCertificateProviderInstance = new() { InstanceName = "default", CertificateName = "default" },
                CombinedValidationContext = new()
                {
                    ValidationContextCertificateProviderInstance = new() { InstanceName = "default", CertificateName = "ROOTCA" },
                    DefaultValidationContext = new() { MatchSubjectAltNames = { new Envoy.Type.Matcher.V3.StringMatcher { Exact = WorkloadCertificates.Account("reviews") } } },
                },
            },
        };
#pragma warning restore CS0612
        world.Serve(
            cluster =>
            {
                MutualTlsWorld.Http2(cluster);
                cluster.TransportSocket = MutualTlsWorld.Socket(context);
            },
            server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        var seen = server.Seen.ShouldHaveSingleItem();
        seen.Alpn.ShouldBe("h2");
        seen.Caller.ShouldBe(WorkloadCertificates.Account("productpage"));
    }

    [Theory]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews", "", "", "", true)]
    [InlineData("", "spiffe://cluster.local/ns/default/", "", "", true)]
    [InlineData("", "", "/sa/reviews", "", true)]
    [InlineData("", "", "", "spiffe://cluster\\.local/ns/[a-z]+/sa/reviews", true)]
    [InlineData("spiffe://cluster.local/ns/default/sa/ratings", "", "", "", false)]
    [InlineData("", "spiffe://other/", "", "", false)]
    [InlineData("", "", "/sa/ratings", "", false)]
    [InlineData("", "", "", "spiffe://cluster\\.local/ns/[A-Z]+/sa/reviews", false)]
    public async Task The_server_must_be_one_that_the_cluster_names(string exact, string prefix, string suffix, string regex, bool isMeant)
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        var context = MutualTlsWorld.Context();
        var matcher = exact.Length > 0 ? new Envoy.Type.Matcher.V3.StringMatcher { Exact = exact }
            : prefix.Length > 0 ? new() { Prefix = prefix }
            : suffix.Length > 0 ? new() { Suffix = suffix }
            : new() { SafeRegex = new() { Regex = regex } };
        context.CommonTlsContext.CombinedValidationContext.DefaultValidationContext.MatchTypedSubjectAltNames[0] = new() { SanType = SanType.Uri, Matcher = matcher };
        world.Serve(context, server.Port);

        var answer = await world.GetAsync();

        answer.Status.ShouldBe(isMeant ? 200 : 503);
        if (!isMeant)
        {
            answer.Body.ShouldEndWith("CERTIFICATE_VERIFY_FAILED:verify cert failed: verify SAN list:TLS_error_end");
            world.Mesh.Logs.Lines.Where(l => l.Contains($"The certificate is for {WorkloadCertificates.Account("reviews")}, not for")).ShouldHaveSingleItem();
            server.Seen.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task An_applications_own_https_is_not_wrapped_in_what_a_cluster_originates()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync(world.Root.Issue("reviews"), protocols: ["http/1.1"]);
        world.Serve(MutualTlsWorld.Context(), server.Port);
        var caller = world.Root.Issue("caller.example");
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = world.Root.CreateChainPolicy();
        handler.SslOptions.ClientCertificates = [caller];
        await using var mesh = ClientMesh.Create(services =>
            Microsoft.Extensions.DependencyInjection.HttpClientBuilderExtensions.ConfigurePrimaryHttpMessageHandler(
                Microsoft.Extensions.DependencyInjection.HttpClientFactoryServiceCollectionExtensions.AddHttpClient(services, "own"), () => handler));
        mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener("reviews:9080", "reviews:9080"));
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("reviews:9080", DataPlane.Tests.Resources.Prefix("/", "reviews:9080")));
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080");
        cluster.TransportSocket = MutualTlsWorld.Socket(new() { CommonTlsContext = new() { ValidationContext = new() { TrustedCa = new() { InlineString = world.Root.Pem } } } });
        mesh.Xds.Set(ClusterType.Instance, cluster);
        mesh.Xds.Set(EndpointsType.Instance, DataPlane.Tests.Resources.Endpoints("reviews:9080", server.Port));

        using var response = await mesh.Client("own").GetAsync("https://reviews:9080/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var seen = server.Seen.ShouldHaveSingleItem();
        seen.ServerName.ShouldBe("reviews");
        seen.Caller.ShouldBe("caller.example");
    }
}
