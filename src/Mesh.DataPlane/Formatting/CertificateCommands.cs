using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that tell of the certificates on both sides of a connection: of one that came in, and of one that leads to an upstream.</summary>
internal static class CertificateCommands
{
    // Envoy's default for these differs from that of other times.
    private const string DefaultTime = "%Y-%m-%dT%H:%M:%S.000Z";

    private delegate ConnectionFacts? Side(in FormatContext context);

    /// <summary>Of what came in.</summary>
    public static IEnumerable<(string Name, FormatCommand Command)> All => Of("DOWNSTREAM", (in FormatContext c) => c.Connection, new(FormatArgument.None, true, _ => _nothing) { IsOfConnection = true },
    [
        ("PEER_EMAIL_SAN", c => PeerNames(c, SubjectAltNameType.Email)),
        ("PEER_OTHERNAME_SAN", c => PeerNames(c, SubjectAltNameType.OtherName)),
        ("PEER_SERIAL", c => c.PeerCertificate is { } certificate ? Serial(certificate) : null),
        ("PEER_FINGERPRINT_256", c => NotEmpty(c.PeerSha256)),
        ("PEER_FINGERPRINT_1", c => c.PeerCertificate is { } certificate ? Sha1(certificate) : null),
        ("PEER_CHAIN_FINGERPRINTS_256", c => Chain(c, Sha256)),
        ("PEER_CHAIN_FINGERPRINTS_1", c => Chain(c, Sha1)),
        ("PEER_CHAIN_SERIALS", c => Chain(c, Serial)),
        ("PEER_ISSUER_FINGERPRINT_256", c => c.PeerIssuer is { } issuer ? Sha256(issuer) : null),
        ("PEER_ISSUER_SERIAL", c => c.PeerIssuer is { } issuer ? Serial(issuer) : null),
        ("LOCAL_SUBJECT", c => NotEmpty(c.LocalSubject)),
        ("LOCAL_EMAIL_SAN", c => LocalNames(c, SubjectAltNameType.Email)),
        ("LOCAL_OTHERNAME_SAN", c => LocalNames(c, SubjectAltNameType.OtherName)),
    ]);

    /// <summary>Of a connection to an upstream that is carried as it is.</summary>
    public static IEnumerable<(string Name, FormatCommand Command)> OfUpstream => Of("UPSTREAM", (in FormatContext c) => c.Record?.Upstream, new(FormatArgument.None, true, _ => _nothing) { IsOfConnectionsAlone = true },
    [
        ("TLS_VERSION", c => TlsNames.Version(c.TlsProtocol)),
        ("TLS_CIPHER", c => TlsNames.Cipher(c.TlsCipherSuite)),
        ("SERVER_NAME", c => NotEmpty(c.RequestedServerName)),
    ]);

    private static readonly FormatValue _nothing = (in FormatContext _) => null;

    private static IEnumerable<(string Name, FormatCommand Command)> Of(string side, Side of, FormatCommand kind, (string Name, Func<ConnectionFacts, string?> Value)[] own)
    {
        (string, Func<ConnectionFacts, string?>)[] both =
        [
            ("PEER_SUBJECT", c => NotEmpty(c.Subject)),
            ("PEER_ISSUER", c => c.PeerCertificate is { } certificate ? NotEmpty(DistinguishedNames.Text(certificate.IssuerName)) : null),
            ("PEER_URI_SAN", c => NotEmpty(string.Join(',', c.UriNames))),
            ("PEER_DNS_SAN", c => NotEmpty(string.Join(',', c.DnsNames))),
            ("PEER_IP_SAN", c => PeerNames(c, SubjectAltNameType.IpAddress)),
            ("PEER_CERT", c => c.PeerCertificate is { } certificate ? Uri.EscapeDataString(certificate.ExportCertificatePem() + "\n") : null),
            ("LOCAL_URI_SAN", c => c.LocalCertificate is null ? c.LocalUriName : LocalNames(c, SubjectAltNameType.Uri)),
            ("LOCAL_DNS_SAN", c => LocalNames(c, SubjectAltNameType.Dns)),
            ("LOCAL_IP_SAN", c => LocalNames(c, SubjectAltNameType.IpAddress)),
        ];
        foreach (var (name, value) in both.Concat(own))
        {
            yield return ($"{side}_{name}", kind with { Create = _ => (in FormatContext c) => of(c) is { } connection ? value(connection) : null });
        }

        yield return ($"{side}_PEER_CERT_V_START", Time(of, kind, c => c.NotBefore));
        yield return ($"{side}_PEER_CERT_V_END", Time(of, kind, c => c.NotAfter));
    }

    private static FormatCommand Time(Side of, FormatCommand kind, Func<X509Certificate2, DateTime> time)
        => kind with
        {
            Argument = FormatArgument.Optional,
            LengthAllowed = false,
            Create = argument =>
            {
                var format = TimeFormat.Parse(argument.Length == 0 ? DefaultTime : argument);
                return (in FormatContext c) => of(c)?.PeerCertificate is { } certificate ? format.Render(time(certificate).ToUniversalTime()) : null;
            },
        };

    private static string? PeerNames(ConnectionFacts connection, SubjectAltNameType type)
        => connection.PeerCertificate is { } certificate ? Join(SubjectAltNames.Of(certificate), type) : null;

    private static string? LocalNames(ConnectionFacts connection, SubjectAltNameType type) => connection.LocalCertificate is { } local ? Join(local.Names, type) : null;

    private static string? Join(SubjectAltNames names, SubjectAltNameType type) => NotEmpty(string.Join(',', names.Names.Where(n => n.Type == type).Select(n => n.Value)));

    private static string? Chain(ConnectionFacts connection, Func<X509Certificate2, string> value)
        => connection.PeerCertificate is { } certificate ? string.Join(',', connection.PeerIntermediates.Prepend(certificate).Select(value)) : null;

    private static string Serial(X509Certificate2 certificate) => certificate.SerialNumber.ToLowerInvariant();

    private static string Sha256(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));

#pragma warning disable CA5350 // A name for the certificate, which Envoy has too; nothing is proven by it.
    private static string Sha1(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA1.HashData(certificate.RawDataMemory.Span));
#pragma warning restore CA5350

    private static string? NotEmpty(string text) => text.Length > 0 ? text : null;
}
