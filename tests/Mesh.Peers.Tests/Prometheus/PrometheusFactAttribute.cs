namespace Mesh.Peers.Tests.Prometheus;

/// <summary>A test with Debian's Prometheus; skipped with a reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute()
    {
        Skip = Peer.Succeeds(PrometheusServer.Program, "--version") ? null : "prometheus is not installed: apt-get install prometheus";
    }
}
