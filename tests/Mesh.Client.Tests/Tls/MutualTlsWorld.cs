using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Mesh.Client.Tests.Tls;

/// <summary>A workload <c>productpage</c> that calls <c>reviews</c>, with identities of an authority that nobody else knows.</summary>
internal sealed class MutualTlsWorld : IAsyncDisposable
{
    public const string Authority = "reviews:9080";
    public const string Address = "http://reviews:9080/";
    public const string Sni = "outbound_.9080_._.reviews.default.svc.cluster.local";
    private const string OptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    private readonly List<IAsyncDisposable> _servers = [];

    public MutualTlsWorld(bool hasIdentity = true, TimeProvider? time = null, Action<MeshOptions>? options = null, Action<IServiceCollection>? configure = null)
    {
        Mesh = ClientMesh.Create(
            services =>
            {
                if (hasIdentity)
                {
                    services.AddSingleton<ISecretSource>(Identity);
                }

                configure?.Invoke(services);
            },
            o =>
            {
                // A clock that leaps forgets nobody.
                o.Client.OnDemandIdleTimeout = TimeSpan.FromDays(20);
                options?.Invoke(o);
            },
            time);
    }

    public TestCertificateAuthority Root { get; } = new("Mesh");

    public ScriptedIdentity Identity { get; } = new();

    public ClientMesh Mesh { get; }

    /// <summary>Gives this workload its identity.</summary>
    public MutualTlsWorld Identify(string account = "productpage", DateTimeOffset? until = null)
    {
        Identity.Set(WorkloadCertificates.AuthoritiesSecret(Root));
        Identity.Set(WorkloadCertificates.CertificateSecret(Root.IssueWorkload(account, until)));
        return this;
    }

    public async Task<WorkloadServer> StartAsync(X509Certificate2? certificate = null, string[]? protocols = null, bool http2 = false, bool isPlain = false)
    {
        var server = await WorkloadServer.StartAsync(certificate ?? Root.IssueWorkload("reviews"), Root, protocols, http2, isPlain);
        _servers.Add(server);
        return server;
    }

    /// <summary>What Istio says of a service of the mesh whose workloads run as <c>reviews</c>.</summary>
    public static UpstreamTlsContext Context(params string[] protocols) => new()
    {
        Sni = Sni,
        CommonTlsContext = new CommonTlsContext
        {
            AlpnProtocols = { protocols },
            TlsCertificateProviderInstance = new() { InstanceName = "default" },
            CombinedValidationContext = new()
            {
                DefaultValidationContext = new()
                {
                    CaCertificateProviderInstance = new() { InstanceName = "default", CertificateName = "ROOTCA" },
                    MatchTypedSubjectAltNames = { new SubjectAltNameMatcher { SanType = SanType.Uri, Matcher = new() { Exact = WorkloadCertificates.Account("reviews") } } },
                },
            },
        },
    };

    public static TransportSocket Socket(UpstreamTlsContext context) => new() { Name = "envoy.transport_sockets.tls", TypedConfig = Any.Pack(context) };

    public static Action<Envoy.Config.Cluster.V3.Cluster> Http2 { get; } = cluster =>
        cluster.TypedExtensionProtocolOptions[OptionsKey] = Any.Pack(new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions
        {
            ExplicitHttpConfig = new() { Http2ProtocolOptions = new() },
        });

    public MutualTlsWorld Serve(UpstreamTlsContext context, params int[] ports) => Serve(cluster => cluster.TransportSocket = Socket(context), ports);

    public MutualTlsWorld Serve(Action<Envoy.Config.Cluster.V3.Cluster> configure, params int[] ports)
    {
        Mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(Authority, Authority));
        Mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes(Authority, Fixture.Prefix("/", Authority)));
        SetCluster(configure);
        Mesh.Xds.Set(EndpointsType.Instance, Fixture.Endpoints(Authority, ports));
        return this;
    }

    public void SetCluster(Action<Envoy.Config.Cluster.V3.Cluster> configure)
    {
        var cluster = Fixture.Cluster(Authority);
        configure(cluster);
        Mesh.Xds.Set(ClusterType.Instance, cluster);
    }

    public async Task<(int Status, string Body)> GetAsync(string uri = Address, Version? version = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri) { Version = version ?? HttpVersion.Version11 };
        using var response = await Mesh.Client().SendAsync(request).Within();
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync().Within());
    }

    public async ValueTask DisposeAsync()
    {
        await Mesh.DisposeAsync();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        Root.Dispose();
    }
}
