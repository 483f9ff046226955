using Mesh.ControlPlane.Security;
using Mesh.Xds.Metrics;

namespace Mesh.ControlPlane.Monitoring;

/// <summary>What the certificate authority counts, under the names that istiod's has.</summary>
internal sealed class CitadelMetrics
{
    private readonly CounterCell _asked;
    private readonly CounterCell _issued;
    private readonly CounterCell _notParsed;
    private readonly CounterCell _notAuthenticated;
    private readonly CounterFamily _notSigned;

    public CitadelMetrics(MetricRegistry registry, IIssuerSource issuers, TimeProvider time)
    {
        _asked = registry.Counter("citadel_server_csr_count", "Requests for certificates.").Cell();
        _issued = registry.Counter("citadel_server_success_cert_issuance_count", "Certificates that were issued.").Cell();
        _notParsed = registry.Counter("citadel_server_csr_parsing_err_count", "Requests that could not be read.").Cell();
        _notAuthenticated = registry.Counter("citadel_server_authentication_failure_count", "Requests of callers who proved nothing.").Cell();
        _notSigned = registry.Counter("citadel_server_csr_sign_err_count", "Requests that were not signed, and why.", "error");

        Observe("citadel_server_root_cert_expiry_timestamp", "When the first root expires, in seconds since 1970.", issuer => Expiry(issuer.Roots));
        Observe("citadel_server_root_cert_expiry_seconds", "Seconds until the first root expires.", issuer => Expiry(issuer.Roots) - Now());
        Observe("citadel_server_cert_chain_expiry_timestamp", "When the certificate that signs expires, or one above it, in seconds since 1970.", issuer => Expiry([issuer.Certificate, .. issuer.Intermediates]));

        double Now() => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000d;

        void Observe(string name, string help, Func<Issuer, double> read) => registry.Observe(new MetricDescription(name, MetricType.Gauge, help), visitor =>
        {
            try
            {
                visitor.Value([], read(issuers.Current));
            }
            catch (AuthorityException)
            {
                // There is no authority just now: the log says why, and no number is better than a wrong one.
            }
        });
    }

    public void Asked() => _asked.Increment();

    public void Issued() => _issued.Increment();

    public void NotParsed() => _notParsed.Increment();

    public void NotAuthenticated() => _notAuthenticated.Increment();

    /// <summary>The caller is somebody else than the certificate would say.</summary>
    public void NotAllowed() => _notSigned.Cell("PERMISSION_DENIED").Increment();

    /// <summary>The authority could not sign.</summary>
    public void NotSigned() => _notSigned.Cell("UNAVAILABLE").Increment();

    private static double Expiry(IEnumerable<System.Security.Cryptography.X509Certificates.X509Certificate2> certificates)
        => certificates.Min(certificate => Issuer.Utc(certificate.NotAfter)).ToUnixTimeSeconds();
}
