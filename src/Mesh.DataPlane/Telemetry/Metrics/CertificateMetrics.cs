using Mesh.DataPlane.Explaining;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>When the certificates of this process expire, its own and those that the control plane has sent. Never what is in them.</summary>
internal sealed class CertificateMetrics
{
    // Certificates are read anew for it, and nobody collects more often.
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    private readonly MeshEngine _engine;
    private readonly TimeProvider _time;
    private IReadOnlyList<SecretDump> _secrets = [];
    private long _read;

    private CertificateMetrics(MeshEngine engine, TimeProvider time) => (_engine, _time) = (engine, time);

    public static void Register(MetricRegistry registry, MeshEngine engine, TimeProvider time)
    {
        var metrics = new CertificateMetrics(engine, time);
        registry.Observe(
            new MetricDescription("envoy_server_days_until_first_cert_expiring", MetricType.Gauge, "Whole days until the first certificate or authority expires."),
            visitor =>
            {
                if (metrics.Secrets().SelectMany(s => s.CertChain.Concat(s.CaCert)).Select(c => (long?)c.DaysUntilExpiration).Min() is { } days)
                {
                    visitor.Value([], days);
                }
            });
        Expiration("mesh_certificate_expiration_unix_time_seconds", "When a certificate that this process shows expires, or one between it and its authority.", s => s.CertChain);
        Expiration("mesh_certificate_authority_expiration_unix_time_seconds", "When the first of the authorities expires by which this process judges others.", s => s.CaCert);

        void Expiration(string name, string help, Func<SecretDump, IReadOnlyList<CertificateDump>> of)
            => registry.Observe(new MetricDescription(name, MetricType.Gauge, help, "envoy_tls_certificate"), visitor =>
            {
                // A secret of one name may come from two places.
                foreach (var secrets in metrics.Secrets().Where(s => of(s).Count > 0).GroupBy(s => s.Name, StringComparer.Ordinal))
                {
                    visitor.Value([secrets.Key], secrets.SelectMany(of).Min(c => c.ExpirationTime).ToUnixTimeSeconds());
                }
            });
    }

    private IReadOnlyList<SecretDump> Secrets()
    {
        if (_read == 0 || _time.GetElapsedTime(Volatile.Read(ref _read)) >= KeptFor)
        {
            _secrets = SecretDump.Of(_engine.Identity, _engine.Client.Status, _time);
            Volatile.Write(ref _read, _time.GetTimestamp());
        }

        return _secrets;
    }
}
