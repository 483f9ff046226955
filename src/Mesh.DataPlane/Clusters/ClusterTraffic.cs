namespace Mesh.DataPlane.Clusters;

/// <summary>Whether a cluster has ever been sent a request: until then its hosts are checked at leisure.</summary>
internal sealed class ClusterTraffic
{
    private bool _seen;

    public bool Seen => Volatile.Read(ref _seen);

    public void See() => Volatile.Write(ref _seen, true);
}
