using Mesh.DataPlane.Calls;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>A collector's cluster, subscribed as long as spans go there.</summary>
internal sealed class HeldCluster(IClusterCalls calls, ClusterHold hold) : IDisposable
{
    public static HeldCluster? Hold(IClusterCalls? calls, ClusterTarget target)
    {
        if (calls is null)
        {
            return null;
        }

        lock (calls.Sync)
        {
            return new HeldCluster(calls, calls.Hold([target.Cluster], static () => { }));
        }
    }

    public void Dispose()
    {
        lock (calls.Sync)
        {
            hold.Dispose();
        }
    }
}
