using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Mesh.ControlPlane.Generators;

/// <summary>TLS origination: requests that reach a cluster in clear text leave over TLS. Files are those of the client's own machine.</summary>
internal static class UpstreamTlsTranslator
{
    private const string SocketName = "envoy.transport_sockets.tls";

    public static void Apply(Cluster cluster, ClientTLSSettings? settings, MeshService service, MeshServicePort port)
    {
        if (!Originates(settings))
        {
            return;
        }

        var common = new CommonTlsContext { ValidationContext = Validation(settings!, service, port) };
        if (settings!.Mode == Mode.Mutual)
        {
            common.TlsCertificates.Add(new TlsCertificate { CertificateChain = File(settings.ClientCertificate), PrivateKey = File(settings.PrivateKey) });
        }

        if (port.Protocol.IsHttp2())
        {
            common.AlpnProtocols.Add("h2");
        }

        cluster.TransportSocket = new TransportSocket
        {
            Name = SocketName,
            TypedConfig = Any.Pack(new UpstreamTlsContext { CommonTlsContext = common, Sni = ServerName(settings, service, port) }),
        };
    }

    /// <summary>What is left to the request: the name to ask for, and the one that the certificate must be for.</summary>
    public static UpstreamHttpProtocolOptions? HttpOptions(ClientTLSSettings? settings, MeshService service, MeshServicePort port)
        => Originates(settings) && ServerName(settings!, service, port).Length == 0
            ? new UpstreamHttpProtocolOptions { AutoSni = true, AutoSanValidation = settings!.InsecureSkipVerify != true && NamesOf(settings, service).Count == 0 }
            : null;

    private static bool Originates(ClientTLSSettings? settings) => settings?.Mode is Mode.Simple or Mode.Mutual;

    // Whoever speaks no HTTP says no host: it is the service's.
    private static string ServerName(ClientTLSSettings settings, MeshService service, MeshServicePort port)
        => settings.Sni.Length > 0 || port.Protocol is not (PortProtocol.Tcp or PortProtocol.Tls) || service.Host.StartsWith('*') ? settings.Sni : service.Host;

    private static IReadOnlyList<string> NamesOf(ClientTLSSettings settings, MeshService service)
        => settings.SubjectAltNames.Count > 0 ? settings.SubjectAltNames : service.SubjectAltNames;

    private static CertificateValidationContext Validation(ClientTLSSettings settings, MeshService service, MeshServicePort port)
    {
        var validation = new CertificateValidationContext();
        if (settings.InsecureSkipVerify == true)
        {
            validation.TrustChainVerification = CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted;
            return validation;
        }

        if (settings.CaCertificates.Length > 0)
        {
            validation.TrustedCa = File(settings.CaCertificates);
        }
        else
        {
            validation.SystemRootCerts = new();
        }

        // An authority alone would let in everybody whom it has ever signed for.
        var names = NamesOf(settings, service);
        var serverName = ServerName(settings, service, port);
        validation.MatchTypedSubjectAltNames.AddRange((names.Count == 0 && serverName.Length > 0 ? [serverName] : names).Select(Matcher));
        return validation;
    }

    private static SubjectAltNameMatcher Matcher(string name) => new()
    {
        SanType = name.Contains("://", StringComparison.Ordinal) ? SanType.Uri : IPAddress.TryParse(name, out _) ? SanType.IpAddress : SanType.Dns,
        Matcher = new StringMatcher { Exact = name },
    };

    private static DataSource File(string path) => new() { Filename = path };
}
