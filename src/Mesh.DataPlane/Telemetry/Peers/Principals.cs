namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>Who both ends of a connection have proven to be: the first URI of each one's certificate, empty for none.</summary>
internal sealed class Principals : IEquatable<Principals>
{
    private const string NamespacePart = "/ns/";
    private readonly int _hash;

    public Principals(string local, string peer)
    {
        Local = local;
        Peer = peer;
        var begin = peer.IndexOf(NamespacePart, StringComparison.Ordinal);
        if (begin >= 0)
        {
            begin += NamespacePart.Length;
            var end = peer.IndexOf('/', begin);
            PeerNamespace = end < 0 ? peer[begin..] : peer[begin..end];
        }

        _hash = HashCode.Combine(local, peer);
    }

    /// <summary>Nobody has proven anything.</summary>
    public static Principals None { get; } = new("", "");

    public string Local { get; }

    public string Peer { get; }

    /// <summary>The namespace that the peer's identity names; empty when it names none.</summary>
    public string PeerNamespace { get; } = "";

    /// <summary>Whether both have shown a certificate of the mesh.</summary>
    public bool AreMutual => Local.Length > 0 && Peer.Length > 0;

    public bool Equals(Principals? other) => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Local == other.Local && Peer == other.Peer);

    public override bool Equals(object? obj) => Equals(obj as Principals);

    public override int GetHashCode() => _hash;
}
