using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using CombinedContext = Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.Types.CombinedCertificateValidationContext;
using DeprecatedInstance = Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.Types.CertificateProviderInstance;
using Version = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>TLS with the material that a workload has of its own: its certificate, and the authorities that it trusts (gRFC A29's certificate providers).</summary>
internal static class WorkloadCertificates
{
    public const string SocketName = "envoy.transport_sockets.tls";

    private const string Instance = "default";
    private const string Certificate = "default";
    private const string Authorities = "ROOTCA";

    public static TransportSocket Socket(IMessage context) => new() { Name = SocketName, TypedConfig = Any.Pack(context) };

    /// <summary>As Istio's gRPC generator says it: in the newer fields and, for older libraries, in those before them.</summary>
    public static CommonTlsContext ForGrpc(IEnumerable<StringMatcher> names)
    {
        var context = new CertificateValidationContext { CaCertificateProviderInstance = Provider(Authorities) };
#pragma warning disable CS0612
        context.MatchSubjectAltNames.AddRange(names);
        return new CommonTlsContext
        {
            TlsCertificateProviderInstance = Provider(Certificate),
            TlsCertificateCertificateProviderInstance = new DeprecatedInstance { InstanceName = Instance, CertificateName = Certificate },
            CombinedValidationContext = new CombinedContext
            {
                DefaultValidationContext = context,
                ValidationContextCertificateProviderInstance = new DeprecatedInstance { InstanceName = Instance, CertificateName = Authorities },
            },
        };
#pragma warning restore CS0612
    }

    /// <param name="names">The names of which the peer must have one; none: any that the authorities vouch for.</param>
    /// <param name="protocols">What is offered by ALPN.</param>
    public static CommonTlsContext ForMesh(IEnumerable<StringMatcher> names, params IEnumerable<string> protocols)
    {
        var context = new CertificateValidationContext { CaCertificateProviderInstance = Provider(Authorities) };
#pragma warning disable CS0612 // Istio says names in the older form, which asks of no name what kind it is.
        context.MatchSubjectAltNames.AddRange(names);
#pragma warning restore CS0612
        return new CommonTlsContext
        {
            TlsParams = new TlsParameters { TlsMinimumProtocolVersion = Version.Tlsv12, TlsMaximumProtocolVersion = Version.Tlsv13 },
            TlsCertificateProviderInstance = Provider(Certificate),
            ValidationContext = context,
            AlpnProtocols = { protocols },
        };
    }

    private static CertificateProviderPluginInstance Provider(string certificate) => new() { InstanceName = Instance, CertificateName = certificate };
}
