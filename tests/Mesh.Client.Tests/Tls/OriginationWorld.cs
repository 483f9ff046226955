using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;

namespace Mesh.Client.Tests.Tls;

/// <summary>A host outside and an application whose mesh speaks TLS to it.</summary>
internal sealed class OriginationWorld : IAsyncDisposable
{
    private const string OptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    private OriginationWorld(OutsideNet net, OutsideHost host) => (Net, Host) = (net, host);

    public OutsideNet Net { get; }

    public OutsideHost Host { get; }

    public ClientMesh Mesh { get; } = ClientMesh.Create();

    public static async Task<OriginationWorld> StartAsync(Action<OutsideHostOptions, OutsideNet>? configure = null, string host = "secure.example")
    {
        var net = OutsideNet.Start();
        return new OriginationWorld(net, await net.AddHostAsync(host, options => configure?.Invoke(options, net)));
    }

    /// <summary>Trust in the authority of the world, and the host's name by SNI and certificate.</summary>
    public UpstreamTlsContext Context() => new()
    {
        Sni = Host.Name,
        CommonTlsContext = new CommonTlsContext
        {
            ValidationContext = new CertificateValidationContext
            {
                TrustedCa = new DataSource { InlineString = Net.Authority.Pem },
                MatchTypedSubjectAltNames = { Name(Host.Name) },
            },
        },
    };

    public static SubjectAltNameMatcher Name(string name, SubjectAltNameMatcher.Types.SanType type = SubjectAltNameMatcher.Types.SanType.Dns)
        => new() { SanType = type, Matcher = new() { Exact = name } };

    /// <summary>The host by its authority, and TLS to it.</summary>
    /// <param name="authority">What callers write.</param>
    /// <param name="context">How TLS is spoken.</param>
    /// <param name="configure">The rest of the cluster.</param>
    /// <param name="port">The port outside, if it is not that of HTTPS.</param>
    public OriginationWorld Serve(string authority, UpstreamTlsContext context, Action<Envoy.Config.Cluster.V3.Cluster>? configure = null, int port = 443)
    {
        Mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(authority, authority));
        Mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes(authority, DataPlane.Tests.Resources.Prefix("/", authority)));
        var cluster = DataPlane.Tests.Resources.Cluster(authority);
        cluster.TransportSocket = new TransportSocket { Name = "envoy.transport_sockets.tls", TypedConfig = Any.Pack(context) };
        configure?.Invoke(cluster);
        Mesh.Xds.Set(ClusterType.Instance, cluster);
        var endpoints = DataPlane.Tests.Resources.Endpoints(authority);
        endpoints.Endpoints[0].LbEndpoints.Add(DataPlane.Tests.Resources.Endpoint(Host.Address.ToString(), OutsideNet.LocalPort(port)));
        Mesh.Xds.Set(EndpointsType.Instance, endpoints);
        return this;
    }

    /// <summary>HTTP options of a cluster.</summary>
    public static Action<Envoy.Config.Cluster.V3.Cluster> Http(Action<Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions> configure)
        => cluster =>
        {
            var options = new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions { ExplicitHttpConfig = new() { HttpProtocolOptions = new Http1ProtocolOptions() } };
            configure(options);
            cluster.TypedExtensionProtocolOptions[OptionsKey] = Any.Pack(options);
        };

    public static Action<Envoy.Config.Cluster.V3.Cluster> Http2 { get; } = Http(o => o.ExplicitHttpConfig.Http2ProtocolOptions = new Http2ProtocolOptions());

    public async Task<(int Status, string Body)> GetAsync(string uri, Action<HttpRequestMessage>? configure = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        configure?.Invoke(request);
        using var response = await Mesh.Client().SendAsync(request).Within();
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync().Within());
    }

    public async ValueTask DisposeAsync()
    {
        await Mesh.DisposeAsync();
        await Net.DisposeAsync();
    }
}
