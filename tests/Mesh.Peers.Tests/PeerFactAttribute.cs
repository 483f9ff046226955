namespace Mesh.Peers.Tests;

/// <summary>A test with a peer; skipped with a reason where the peer is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PeerFactAttribute : FactAttribute
{
    public PeerFactAttribute(string peer)
    {
        Skip = Peer.Named(peer).Missing;
    }
}
