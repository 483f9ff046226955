using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using EnvoyRouter = Envoy.Extensions.Filters.Http.Router.V3.Router;

namespace Mesh.Server.Tests.Inbound;

/// <summary>Inbound listeners in the shapes that Istio gives them for the three modes of PeerAuthentication.</summary>
internal static class Listeners
{
    /// <summary>How long a connection may take to show what it is: in real time as well, and so longer than any machine needs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly string[] MeshProtocols = ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

    public static string NameOf(IPEndPoint endPoint) => $"xds.istio.io/grpc/lds/inbound/{endPoint}";

    public static Listener Strict(IPEndPoint endPoint, DownstreamTlsContext tls) => Listener(endPoint, Http("tls", new FilterChainMatch(), tls));

    public static Listener Disabled(IPEndPoint endPoint) => Listener(endPoint, Http("plain", new FilterChainMatch(), null));

    public static Listener Permissive(IPEndPoint endPoint, DownstreamTlsContext tls)
        => Listener(
            endPoint,
            Http("mesh", new FilterChainMatch { TransportProtocol = "tls", ApplicationProtocols = { MeshProtocols } }, tls),
            Http("plain", new FilterChainMatch { TransportProtocol = "raw_buffer" }, null),
            PassOn("own", new FilterChainMatch { TransportProtocol = "tls" }));

    public static Listener Listener(IPEndPoint endPoint, params FilterChain[] chains)
        => new()
        {
            Name = NameOf(endPoint),
            TrafficDirection = TrafficDirection.Inbound,
            FilterChains = { chains },
            ListenerFilters = { new ListenerFilter { Name = "envoy.filters.listener.tls_inspector", TypedConfig = Any.Pack(new TlsInspector()) } },
            ListenerFiltersTimeout = Duration.FromTimeSpan(Patience),
        };

    public static FilterChain Http(string name, FilterChainMatch match, DownstreamTlsContext? tls, params HttpFilter[] filters)
    {
        var manager = new HttpConnectionManager
        {
            StatPrefix = "inbound",
            RouteConfig = new RouteConfiguration
            {
                Name = "inbound",
                VirtualHosts =
                {
                    new VirtualHost
                    {
                        Name = "inbound",
                        Domains = { "*" },
                        Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new NonForwardingAction() } },
                    },
                },
            },
            HttpFilters = { filters, new HttpFilter { Name = "router", TypedConfig = Any.Pack(new EnvoyRouter()) } },
        };
        return Chain(name, match, tls, new Filter { Name = "http", TypedConfig = Any.Pack(manager) });
    }

    public static FilterChain PassOn(string name, FilterChainMatch match, DownstreamTlsContext? tls = null)
        => Chain(name, match, tls, new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "InboundPassthroughCluster", Cluster = "InboundPassthroughCluster" }) });

    /// <summary>TLS with everything in the listener itself.</summary>
    public static DownstreamTlsContext Tls(X509Certificate2 certificate, string roots, bool requires = true)
        => Tls(new CommonTlsContext
        {
            TlsCertificates = { Certificate(certificate) },
            ValidationContext = new CertificateValidationContext { TrustedCa = new DataSource { InlineString = roots } },
        }, requires);

    /// <summary>TLS by secrets that the control plane sends.</summary>
    public static DownstreamTlsContext Tls(string certificate, string trust)
        => Tls(new CommonTlsContext
        {
            TlsCertificateSdsSecretConfigs = { Sds(certificate) },
            ValidationContextSdsSecretConfig = Sds(trust),
        });

    public static DownstreamTlsContext Tls(CommonTlsContext common, bool requires = true)
    {
        common.AlpnProtocols.Add(["istio-h2", "h2", "istio-http/1.1", "http/1.1"]);
        return new DownstreamTlsContext { CommonTlsContext = common, RequireClientCertificate = requires };
    }

    public static Secret CertificateSecret(string name, X509Certificate2 certificate) => new() { Name = name, TlsCertificate = Certificate(certificate) };

    public static Secret TrustSecret(string name, params string[] roots)
        => new() { Name = name, ValidationContext = new CertificateValidationContext { TrustedCa = new DataSource { InlineString = string.Concat(roots.Select(r => r + "\n")) } } };

    private static SdsSecretConfig Sds(string name) => new() { Name = name, SdsConfig = new ConfigSource { Ads = new AggregatedConfigSource() } };

    private static TlsCertificate Certificate(X509Certificate2 certificate)
        => new()
        {
            CertificateChain = new DataSource { InlineString = certificate.ExportCertificatePem() },
            PrivateKey = new DataSource { InlineString = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
        };

    private static FilterChain Chain(string name, FilterChainMatch match, DownstreamTlsContext? tls, Filter filter)
    {
        var chain = new FilterChain { Name = name, FilterChainMatch = match, Filters = { filter } };
        if (tls is not null)
        {
            chain.TransportSocket = new TransportSocket { Name = "envoy.transport_sockets.tls", TypedConfig = Any.Pack(tls) };
        }

        return chain;
    }
}
