using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>The control plane's weights, lowered while a host starts.</summary>
internal sealed class StartingWeights(SlowStart slowStart) : HostWeights
{
    public override TimeSpan? Weigh(Endpoint[] hosts, TimeProvider time, long now, Span<double> weights)
    {
        var starting = false;
        for (var i = 0; i < hosts.Length; i++)
        {
            var factor = hosts[i].State.HealthySince is { } since ? slowStart.Factor(time.GetElapsedTime(since, now)) : 1.0;
            weights[i] = hosts[i].Resource.Weight * factor;
            starting |= factor < 1.0;
        }

        return starting ? slowStart.Step : null;
    }
}
