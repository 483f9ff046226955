using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Microsoft.Extensions.DependencyInjection;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace Mesh.Client.Tests.Tls;

/// <summary>The application writes <c>https</c>: routed, retried and balanced as anything, and the TLS is its own, by what its client says of TLS.</summary>
public sealed class HttpsTests : IAsyncLifetime
{
    private const string Host = "api.example";

    private readonly OutsideNet _net = OutsideNet.Start();
    private OutsideHost _host = null!;

    public async Task InitializeAsync() => _host = await _net.AddHostAsync(Host, options => options.Names.Add("other.example"));

    public async Task DisposeAsync() => await _net.DisposeAsync();

    [Fact]
    public async Task The_version_is_negotiated_as_HttpClient_would()
    {
        await using var mesh = Serve(Mesh(Trusting()));

        foreach (var (version, policy) in new[]
        {
            (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower),
            (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower),
            (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrHigher),
            (HttpVersion.Version30, HttpVersionPolicy.RequestVersionOrLower),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/x") { Version = version, VersionPolicy = policy };
            using var response = await mesh.Client().SendAsync(request).Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (request.Version, request.VersionPolicy).ShouldBe((version, policy));
            ((IDictionary<string, object?>)request.Options).Keys.ShouldNotContain("mesh.caller_tls");
        }

        _host.Seen.Select(seen => (seen.Protocol, seen.ServerName)).ShouldBe([("HTTP/1.1", Host), ("HTTP/2", Host), ("HTTP/2", Host), ("HTTP/2", Host)]);
    }

    [Fact]
    public async Task Without_a_word_of_the_client_the_systems_authorities_are_trusted_and_no_other()
    {
        await using var mesh = Serve(ClientMesh.Create());

        var response = await mesh.Client().GetAsync("https://api.example/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldContain("X509_verify_cert: certificate verification error at depth 0: unable to get local issuer certificate");
        _host.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_certificate_of_somebody_else_is_refused()
    {
        await using var mesh = Serve(Mesh(Trusting()), "third.example");

        var response = await mesh.Client().GetAsync("https://third.example/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldEndWith("verify cert failed: verify SAN list:TLS_error_end");
        response.RequestMessage!.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UF");
    }

    [Fact]
    public async Task TLS_is_spoken_once_where_the_cluster_speaks_it_too()
    {
        await using var mesh = Serve(Mesh(Trusting()), cluster: cluster => cluster.TransportSocket = new TransportSocket
        {
            Name = "tls",
            TypedConfig = Google.Protobuf.WellKnownTypes.Any.Pack(new UpstreamTlsContext
            {
                Sni = "other.example",
                CommonTlsContext = new() { ValidationContext = new() { TrustedCa = new() { InlineString = _net.Authority.Pem } } },
            }),
        });

        (await mesh.Client().GetStringAsync("https://api.example/a").Within()).ShouldBe("api.example /a");
        (await mesh.Client().GetStringAsync("http://api.example:443/b").Within()).ShouldBe("api.example /b");

        _host.Seen.Select(seen => seen.ServerName).ShouldBe([Host, "other.example"], "each by its own words, on connections of its own");
    }

    [Fact]
    public async Task The_certificate_is_that_of_the_host_that_was_called_whatever_the_route_makes_of_it()
    {
        await using var mesh = Serve(Mesh(Trusting()), route: route => route.HostRewriteLiteral = "internal.example");

        (await mesh.Client().GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        var seen = _host.Seen.ShouldHaveSingleItem();
        (seen.Host, seen.ServerName).ShouldBe(("internal.example", Host));
    }

    [Fact]
    public async Task The_host_header_names_the_server_as_with_HttpClient()
    {
        await using var mesh = Serve(Mesh(Trusting()), "other.example");
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/") { Headers = { Host = "other.example" } };

        (await mesh.Client().SendAsync(request).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        var seen = _host.Seen.ShouldHaveSingleItem();
        (seen.Host, seen.ServerName).ShouldBe(("other.example", "other.example"));
        request.RequestUri.ShouldBe(new Uri("https://api.example/"));
    }

    [Fact]
    public async Task The_clients_own_check_decides_for_its_own_connections_alone()
    {
        var asked = 0;
        await using var mesh = Serve(ClientMesh.Create(services =>
        {
            services.AddHttpClient("lenient").ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler
            {
                ServerCertificateCustomValidationCallback = (request, certificate, _, errors) =>
                {
                    Interlocked.Increment(ref asked);
                    request.RequestUri!.Host.ShouldBe(Host);
                    certificate!.Subject.ShouldBe("CN=api.example");
                    errors.ShouldBe(SslPolicyErrors.RemoteCertificateChainErrors);
                    return true;
                },
            });
            services.AddHttpClient("strict").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                SslOptions = { CertificateChainPolicy = _net.Authority.CreateChainPolicy(), RemoteCertificateValidationCallback = (_, _, _, _) => false },
            });
        }));

        (await mesh.Client("lenient").GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await mesh.Client("lenient").GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        asked.ShouldBe(1);
        (await mesh.Client("strict").GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await mesh.Client().GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        _host.Seen.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_clients_certificate_is_shown(bool byClientHandler)
    {
        var bank = await _net.AddHostAsync("bank.example", options => options.RequireClientCertificate = true);
        using var certificate = _net.Authority.Issue("client.example");
        HttpMessageHandler Primary()
        {
            if (!byClientHandler)
            {
                var handler = Trusting();
                handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
                return handler;
            }

            return new HttpClientHandler
            {
                ClientCertificates = { certificate },
                ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator,
                SslProtocols = SslProtocols.Tls12,
            };
        }

        await using var mesh = Serve(ClientMesh.Create(services => services.AddHttpClient("").ConfigurePrimaryHttpMessageHandler(Primary)), "bank.example", bank);

        (await mesh.Client().GetAsync("https://bank.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        bank.Seen.ShouldHaveSingleItem().ClientCertificate.ShouldBe("CN=client.example");
    }

    [Fact]
    public async Task A_host_that_cannot_be_trusted_is_passed_over_by_a_retry()
    {
        using var stranger = new TestCertificateAuthority("Another authority");
        var false1 = await _net.AddHostAsync("false.example", options => options.Certificate = _ => stranger.Issue(Host));
        await using var mesh = Serve(Mesh(Trusting()), route: route => route.RetryPolicy = new RetryPolicy
        {
            RetryOn = "connect-failure",
            NumRetries = 2,
            RetryHostPredicate = { new RetryPolicy.Types.RetryHostPredicate { Name = "previous", TypedConfig = Google.Protobuf.WellKnownTypes.Any.Pack(new Envoy.Extensions.Retry.Host.PreviousHosts.V3.PreviousHostsPredicate()) } },
            HostSelectionRetryMaxAttempts = 5,
        });
        mesh.Xds.Set(EndpointsType.Instance, Endpoints($"{Host}:443", false1, _host));

        for (var i = 0; i < 4; i++)
        {
            (await mesh.Client().GetAsync("https://api.example/").Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        false1.Seen.ShouldBeEmpty();
        false1.Connections.ShouldBeGreaterThan(0);
    }

    private SocketsHttpHandler Trusting() => new() { SslOptions = { CertificateChainPolicy = _net.Authority.CreateChainPolicy() } };

    private static ClientMesh Mesh(SocketsHttpHandler primary)
        => ClientMesh.Create(services => services.AddHttpClient("").ConfigurePrimaryHttpMessageHandler(() => primary));

    private static Envoy.Config.Endpoint.V3.ClusterLoadAssignment Endpoints(string cluster, params OutsideHost[] hosts)
    {
        var endpoints = DataPlane.Tests.Resources.Endpoints(cluster);
        endpoints.Endpoints[0].LbEndpoints.AddRange(hosts.Select(host => DataPlane.Tests.Resources.Endpoint(host.Address.ToString(), OutsideNet.LocalPort(443))));
        return endpoints;
    }

    private ClientMesh Serve(ClientMesh mesh, string host = Host, OutsideHost? server = null, Action<Envoy.Config.Cluster.V3.Cluster>? cluster = null, Action<RouteAction>? route = null)
    {
        var authority = $"{host}:443";
        var only = DataPlane.Tests.Resources.Prefix("/", authority);
        route?.Invoke(only.Route_);
        mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(authority, authority));
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes(authority, only));
        var made = DataPlane.Tests.Resources.Cluster(authority);
        cluster?.Invoke(made);
        mesh.Xds.Set(ClusterType.Instance, made);
        mesh.Xds.Set(EndpointsType.Instance, Endpoints(authority, server ?? _host));
        return mesh;
    }
}
