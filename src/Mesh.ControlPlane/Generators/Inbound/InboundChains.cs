using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Mode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>The filter chains of a port in an application's own process, with Istio's names: one for whoever proves who they are, others for the rest.</summary>
internal sealed class InboundChains
{
    public const string Tls = "tls";

    /// <summary>Where a connection goes that is the application's as it is.</summary>
    public const string PassthroughCluster = "InboundPassthroughCluster";

    private const string RawBuffer = "raw_buffer";
    private const string CatchAllHttp = "virtualInbound-catchall-http";
    private const string CatchAll = "virtualInbound";

    /// <summary>What only clients of a mesh offer: by it their TLS is told from the application's own.</summary>
    private static readonly string[] MeshProtocols = ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

    /// <summary>What the server takes, the best first.</summary>
    private static readonly string[] HttpProtocols = ["istio-h2", "h2", "istio-http/1.1", "http/1.1"];
    private static readonly string[] TcpProtocols = ["istio-peer-exchange", "istio", .. HttpProtocols];

    private readonly Proxy _proxy;
    private readonly ConfigIndex _config;
    private readonly InboundPort _port;
    private readonly WorkloadPolicies _policies;
    private readonly MeshSettings _mesh;
    private readonly AuthorizationTranslator _authorization;
    private readonly InboundConnectionManager _http;
    private readonly ListenerSignals _signals;

    public InboundChains(Proxy proxy, ConfigIndex config, InboundPort port, WorkloadPolicies policies)
    {
        (_proxy, _config) = (proxy, config);
        _port = port;
        _policies = policies;
        _mesh = config.Mesh;
        _authorization = new AuthorizationTranslator(policies, _mesh.TrustDomains, port.Local);
        _signals = config.SignalsOf(proxy, WorkloadMode.Server);
        _http = new InboundConnectionManager(proxy, config, port, policies, _authorization, _signals);
    }

    public IEnumerable<FilterChain> Translate()
    {
        var mode = _policies.MutualTls.OfPort(_port.Local.Declared.Count > 0 ? _port.Local.Declared : [_port.Local.Number]);
        return mode switch
        {
            Mode.Disable => [Served(new FilterChainMatch { TransportProtocol = RawBuffer }), PassedOn(new FilterChainMatch { TransportProtocol = Tls })],
            Mode.Strict => [Served(new FilterChainMatch { TransportProtocol = Tls }, MutualTls())],
            _ =>
            [
                Served(new FilterChainMatch { TransportProtocol = Tls, ApplicationProtocols = { MeshProtocols } }, MutualTls()),
                Served(new FilterChainMatch { TransportProtocol = RawBuffer }),
                PassedOn(new FilterChainMatch { TransportProtocol = Tls }),
            ],
        };
    }

    private FilterChain Served(FilterChainMatch match, TransportSocket? socket = null)
        => _port.IsHttp
            ? new FilterChain { Name = Name(CatchAllHttp), FilterChainMatch = match, Filters = { _http.Filter() }, TransportSocket = socket }
            : PassedOn(match, socket);

    /// <summary>A connection that is no HTTP, or none that can be read here: what can be asked of a connection is asked of it.</summary>
    private FilterChain PassedOn(FilterChainMatch match, TransportSocket? socket = null) => new()
    {
        Name = Name(CatchAll),
        FilterChainMatch = match,
        Filters = { CustomPolicies.NetworkFilters(_proxy, _config, _policies, _authorization), _authorization.NetworkFilters(), TcpProxyTranslator.To(PassthroughCluster, _signals) },
        TransportSocket = socket,
    };

    private string Name(string catchAll) => _port.Service is null ? catchAll : $"0.0.0.0_{_port.Declared}";

    private TransportSocket MutualTls()
    {
        var names = _mesh.TrustDomains.All.Distinct().Select(domain => new StringMatcher { Prefix = $"spiffe://{domain}/" });
        var common = WorkloadCertificates.ForMesh(names, _port.IsHttp ? HttpProtocols : TcpProtocols);
        if (_mesh.Config.MeshMTLS is { } settings)
        {
            common.TlsParams.TlsMinimumProtocolVersion = settings.MinProtocolVersion == Istio.Mesh.V1Alpha1.MeshConfig.Types.TLSConfig.Types.TLSProtocol.Tlsv13
                ? TlsParameters.Types.TlsProtocol.Tlsv13
                : TlsParameters.Types.TlsProtocol.Tlsv12;
            common.TlsParams.CipherSuites.AddRange(settings.CipherSuites);
        }

        return WorkloadCertificates.Socket(new DownstreamTlsContext { CommonTlsContext = common, RequireClientCertificate = true });
    }
}
