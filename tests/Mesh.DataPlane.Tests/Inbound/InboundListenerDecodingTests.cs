using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tcp;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Inbound;

/// <summary>What is read of inbound listeners, and what is refused with its place.</summary>
public sealed class InboundListenerDecodingTests
{
    private const string Tls = "filter_chains[0].transport_socket.typed_config";

    private static (string Field, Action<DownstreamTlsContext> Change)[] Refused =>
    [
        ($"{Tls}.require_sni", c => c.RequireSni = true),
        ($"{Tls}.session_ticket_keys", c => c.SessionTicketKeys = new() { Keys = { new DataSource { InlineString = "x" } } }),
        ($"{Tls}.session_ticket_keys_sds_secret_config", c => c.SessionTicketKeysSdsSecretConfig = new() { Name = "x" }),
        ($"{Tls}.session_timeout", c => c.SessionTimeout = new Duration { Seconds = 9 }),
        ($"{Tls}.ocsp_staple_policy", c => c.OcspStaplePolicy = DownstreamTlsContext.Types.OcspStaplePolicy.MustStaple),
        ($"{Tls}.prefer_client_ciphers", c => c.PreferClientCiphers = true),
        ($"{Tls}.common_tls_context", c => c.CommonTlsContext = null),
        ($"{Tls}.common_tls_context.tls_certificates", c => c.CommonTlsContext.TlsCertificateProviderInstance = null),
        ($"{Tls}.common_tls_context.tls_certificates", c => c.CommonTlsContext.TlsCertificateSdsSecretConfigs.Add(new SdsSecretConfig { Name = "default" })),
        ($"{Tls}.common_tls_context.validation_context", c => c.CommonTlsContext.ValidationContext = null),
        ($"{Tls}.common_tls_context.key_log", c => c.CommonTlsContext.KeyLog = new() { Path = "/x" }),
        ($"{Tls}.common_tls_context.custom_handshaker", c => c.CommonTlsContext.CustomHandshaker = new() { Name = "x", TypedConfig = Any.Pack(new Empty()) }),
        ($"{Tls}.common_tls_context.tls_params.ecdh_curves", c => c.CommonTlsContext.TlsParams = new() { EcdhCurves = { "P-256" } }),
        ($"{Tls}.common_tls_context.tls_params.tls_maximum_protocol_version", c => c.CommonTlsContext.TlsParams = new() { TlsMinimumProtocolVersion = TlsParameters.Types.TlsProtocol.Tlsv13, TlsMaximumProtocolVersion = TlsParameters.Types.TlsProtocol.Tlsv12 }),
    ];

    [Fact]
    public void What_is_not_honoured_of_TLS_is_refused_with_its_place()
    {
        foreach (var (field, change) in Refused)
        {
            var context = Context();
            change(context);

            Should.Throw<ResourceRejectedException>(() => Decode(Listener(Chain(context))), field).Field.ShouldBe(field);
        }
    }

    [Fact]
    public void Every_way_to_name_the_workloads_own_material_is_the_same()
    {
#pragma warning disable CS0612 // The older forms, which are still sent.
        CommonTlsContext[] forms =
        [
            new()
            {
                TlsCertificateProviderInstance = new() { InstanceName = "any" },
                ValidationContext = new() { CaCertificateProviderInstance = new() { InstanceName = "any" } },
            },
            new()
            {
                TlsCertificateCertificateProviderInstance = new() { InstanceName = "any" },
                CombinedValidationContext = new() { DefaultValidationContext = new(), ValidationContextCertificateProviderInstance = new() { InstanceName = "any" } },
            },
            new()
            {
                TlsCertificateSdsSecretConfigs = { new SdsSecretConfig { Name = "default", SdsConfig = new() { ApiConfigSource = new() } } },
                CombinedValidationContext = new() { DefaultValidationContext = new(), ValidationContextSdsSecretConfig = new() { Name = "ROOTCA" } },
            },
        ];
#pragma warning restore CS0612
        foreach (var form in forms)
        {
            var tls = Decode(Listener(Chain(new DownstreamTlsContext { CommonTlsContext = form, RequireClientCertificate = true }))).Chains[0].Tls!;

            tls.CertificateSecret.ShouldBe(new DataPlane.Tls.SecretReference("default", IsOwn: true));
            tls.ValidationSecret.ShouldBe(new DataPlane.Tls.SecretReference("ROOTCA", IsOwn: true));
            tls.RequiresClientCertificate.ShouldBeTrue();
        }
    }

    [Fact]
    public void Connections_are_led_nowhere_but_to_the_application()
    {
        Should.Throw<ResourceRejectedException>(() => Decode(Listener(Proxy("outbound|80||elsewhere")))).Field.ShouldBe("filter_chains[0].filters[0].typed_config.cluster");

        Decode(Listener(Proxy("inbound|80||"))).Chains[0].Http.ShouldBeNull();
    }

    [Fact]
    public void A_filter_of_connections_that_is_not_known_and_a_socket_that_is_not_known_are_refused()
    {
        var chain = Proxy("InboundPassthroughCluster");
        chain.Filters.Insert(0, new Filter { Name = "mystery", TypedConfig = Any.Pack(new Empty()) });
        Should.Throw<ResourceRejectedException>(() => Decode(Listener(chain))).Field.ShouldBe("filter_chains[0].filters[0]");

        chain = Proxy("InboundPassthroughCluster");
        chain.TransportSocket = new TransportSocket { Name = "alts", TypedConfig = Any.Pack(new Empty()) };
        Should.Throw<ResourceRejectedException>(() => Decode(Listener(chain))).Field.ShouldBe("filter_chains[0].transport_socket");
    }

    [Fact]
    public void Conditions_on_the_port_and_address_of_who_connects_are_held()
    {
        var chain = Proxy("InboundPassthroughCluster");
        chain.FilterChainMatch = new FilterChainMatch { SourcePorts = { 4000 }, SourceType = FilterChainMatch.Types.ConnectionSourceType.External };
        var match = new[] { Decode(Listener(chain)).Chains[0].Match };
        var facts = new ChainFacts { Port = 80, Destination = IPAddress.Parse("10.0.0.1"), Source = IPAddress.Parse("10.0.0.2"), SourcePort = 4000 };

        ChainSelector.Select(match, facts).ShouldBe(0);
        ChainSelector.Select(match, facts with { SourcePort = 4001 }).ShouldBe(-1);
        ChainSelector.Select(match, facts with { IsLocal = true }).ShouldBe(-1);
    }

    [Fact]
    public void The_protocol_is_the_servers_first_that_the_client_offers_and_none_when_they_share_none()
    {
        var tls = Decode(Listener(Chain(Context()))).Chains[0].Tls!;

        tls.Agree(["http/1.1", "istio-h2"]).ShouldBe("istio-h2");
        tls.Agree(["istio"]).ShouldBeNull();
        tls.Agree([]).ShouldBeNull();
    }

    private static InboundListenerResource Decode(Listener listener)
        => ((ListenerResource)ListenerType.Instance.Decode(listener.ToByteString(), out _)).Inbound!;

    private static Listener Listener(FilterChain chain) => new() { Name = "l", TrafficDirection = TrafficDirection.Inbound, FilterChains = { chain } };

    private static DownstreamTlsContext Context() => new()
    {
        RequireClientCertificate = true,
        CommonTlsContext = new CommonTlsContext
        {
            TlsCertificateProviderInstance = new() { InstanceName = "default" },
            ValidationContext = new() { CaCertificateProviderInstance = new() { InstanceName = "default" } },
            AlpnProtocols = { "istio-h2", "h2", "istio-http/1.1", "http/1.1" },
        },
    };

    private static FilterChain Chain(DownstreamTlsContext tls)
    {
        var chain = Proxy("InboundPassthroughCluster");
        chain.TransportSocket = new TransportSocket { Name = "tls", TypedConfig = Any.Pack(tls) };
        return chain;
    }

    private static FilterChain Proxy(string cluster)
        => new() { Filters = { new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "s", Cluster = cluster }) } } };
}
