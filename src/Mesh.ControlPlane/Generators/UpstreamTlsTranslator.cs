using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;
using TrustChainVerification = Envoy.Extensions.TransportSockets.Tls.V3.CertificateValidationContext.Types.TrustChainVerification;
using Version = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// TLS that begins at the client (<c>SIMPLE</c>, <c>MUTUAL</c>). Files are those of the client's own machine, and named as such: the names under which
/// Istio asks its agent for them (<c>file-cert:</c>) mean nothing where there is no agent.
/// </summary>
internal sealed class UpstreamTlsTranslator
{
    private const string SocketName = "envoy.transport_sockets.tls";

    /// <summary>Where Debian and Istio's images have the system's authorities: Envoy does not know <c>system_root_certs</c> and would then believe anybody.</summary>
    private const string SystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

    private readonly Proxy _proxy;
    private readonly ClientTLSSettings _settings;
    private readonly string _serverName;
    private readonly StringMatcher[] _names;

    private UpstreamTlsTranslator(Proxy proxy, MeshService service, MeshServicePort port, ClientTLSSettings settings)
    {
        _proxy = proxy;
        _settings = settings;

        // Only a request says whom it is for; of a connection nothing is known but the service that it goes to.
        var byRequest = port.Protocol.IsHttp() || (port.Protocol == PortProtocol.Https && proxy.IsInProcess);
        _serverName = settings.Sni.Length > 0 || byRequest || service.IsWildcard ? settings.Sni : service.Host;
        var names = settings.SubjectAltNames.Count > 0 ? (IReadOnlyList<string>)settings.SubjectAltNames : service.SubjectAltNames;
        _names = (names.Count, _serverName.Length) switch
        {
            ( > 0, _) => [.. names.Select(name => new StringMatcher { Exact = name })],
            // An authority alone would let in everybody for whom it has ever signed. Istio leaves the name unchecked where sni is given.
            (_, > 0) => [new StringMatcher { Exact = _serverName }],
            _ when !byRequest && service.Host.Length > 1 => [new StringMatcher { Suffix = service.Host[1..] }],
            _ => [],
        };
        HttpOptions = byRequest && _serverName.Length == 0
            ? new UpstreamHttpProtocolOptions { AutoSni = true, AutoSanValidation = !SkipsVerification && _names.Length == 0 }
            : null;
    }

    /// <summary>What is left to the request: the name to ask for, and the one that the certificate must have.</summary>
    public UpstreamHttpProtocolOptions? HttpOptions { get; }

    private bool SkipsVerification => _settings.InsecureSkipVerify == true;

    /// <returns><see langword="null"/> for a cluster that is spoken to as it is called.</returns>
    public static UpstreamTlsTranslator? Of(Proxy proxy, MeshService service, MeshServicePort port, ClientTLSSettings? settings)
        => settings?.Mode is Mode.Simple or Mode.Mutual ? new UpstreamTlsTranslator(proxy, service, port, settings) : null;

    /// <param name="isHttp2">Whether the cluster speaks HTTP/2 and nothing else.</param>
    public TransportSocket Socket(bool isHttp2)
    {
        var common = new CommonTlsContext
        {
            TlsParams = new TlsParameters { TlsMinimumProtocolVersion = Version.Tlsv12, TlsMaximumProtocolVersion = Version.Tlsv13 },
        };
        if (_settings.CredentialName.Length > 0)
        {
            AddCredential(common);
        }
        else
        {
            AddFiles(common);
        }

        if (isHttp2)
        {
            common.AlpnProtocols.Add("h2");
        }

        return new TransportSocket
        {
            Name = SocketName,
            TypedConfig = Any.Pack(new UpstreamTlsContext { CommonTlsContext = common, Sni = _serverName }),
        };
    }

    private void AddFiles(CommonTlsContext common)
    {
        if (_settings.Mode == Mode.Mutual)
        {
            common.TlsCertificates.Add(new TlsCertificate { CertificateChain = File(_settings.ClientCertificate), PrivateKey = File(_settings.PrivateKey) });
        }

        var validation = Validation();
        if (!SkipsVerification)
        {
            switch (_settings.CaCertificates)
            {
                case "" or "system" when _proxy.IsInProcess:
                    validation.SystemRootCerts = new();
                    break;
                case "" or "system":
                    validation.TrustedCa = File(SystemAuthorities);
                    break;
                default:
                    validation.TrustedCa = File(_settings.CaCertificates);
                    break;
            }

            validation.Crl = _settings.CaCrl.Length > 0 ? File(_settings.CaCrl) : null;
        }

        common.ValidationContext = validation;
    }

    private void AddCredential(CommonTlsContext common)
    {
        if (_settings.Mode == Mode.Mutual)
        {
            common.TlsCertificateSdsSecretConfigs.Add(Sds(SecretName.OfCertificate(_settings.CredentialName)));
        }

        if (SkipsVerification)
        {
            common.ValidationContext = Validation();
            return;
        }

        common.CombinedValidationContext = new CommonTlsContext.Types.CombinedCertificateValidationContext
        {
            DefaultValidationContext = Validation(),
            ValidationContextSdsSecretConfig = Sds(SecretName.OfAuthority(_settings.CredentialName)),
        };
    }

    private CertificateValidationContext Validation()
    {
        var validation = new CertificateValidationContext();
        if (SkipsVerification)
        {
            validation.TrustChainVerification = TrustChainVerification.AcceptUntrusted;
            return validation;
        }

#pragma warning disable CS0612 // Istio says names in the older form, which asks of no name what kind it is.
        validation.MatchSubjectAltNames.AddRange(_names);
#pragma warning restore CS0612
        return validation;
    }

    private static SdsSecretConfig Sds(SecretName name) => new() { Name = name.ToString(), SdsConfig = ConfigSources.Ads };

    private static DataSource File(string path) => new() { Filename = path };
}
