namespace Mesh.Peers.Tests;

/// <summary>A test with a peer; skipped with a reason where the peer is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PeerFactAttribute : FactAttribute
{
    public PeerFactAttribute(string peer)
    {
        Skip = Peer.Named(peer).Missing;
    }

    /// <summary>Python of the C-core peer that succeeds where this version of it cannot do what the test asks.</summary>
    public string Unless
    {
        get => "";
        set => Skip ??= Peer.Succeeds("/usr/bin/python3", "-c", value) ? $"this version of the peer cannot: {value}" : null;
    }
}
