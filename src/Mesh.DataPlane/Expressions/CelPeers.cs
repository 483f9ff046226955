using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Expressions;

/// <summary>
/// Who is at the other end, by Istio's names: <c>upstream_peer.app</c> of who was called, <c>downstream_peer.app</c> of who calls, and the same below
/// <c>filter_state</c>. What is not known is an error.
/// </summary>
internal static class CelPeers
{
    private static readonly (string Name, Func<Peer, string> Value)[] Members =
    [
        ("app", peer => peer.App), ("version", peer => peer.Version), ("service", peer => peer.CanonicalService), ("revision", peer => peer.CanonicalRevision),
        ("workload", peer => peer.Workload), ("namespace", peer => peer.Namespace), ("cluster", peer => peer.Cluster),
    ];

    /// <summary>Who is at one end of a request.</summary>
    internal delegate Peer? PeerOf(in FormatContext context);

    /// <summary>What may be asked of either.</summary>
    public static IEnumerable<string> Names => Members.Select(m => m.Name);

    public static IEnumerable<KeyValuePair<string, CelAttribute>> All => [.. Attributes("upstream_peer", Upstream), .. Attributes("downstream_peer", Downstream)];

    /// <summary>Tells who is at an end; <see langword="null"/> when the name is of neither.</summary>
    public static PeerOf? Find(string name) => name switch { "upstream_peer" => Upstream, "downstream_peer" => Downstream, _ => null };

    /// <summary>What is known of a peer by a name; <see langword="null"/> for nothing.</summary>
    public static string? Member(Peer? peer, string name)
    {
        foreach (var (member, value) in Members)
        {
            if (member == name)
            {
                return peer is not null && value(peer) is var text && text != Peer.UnknownValue ? text : null;
            }
        }

        return null;
    }

    private static IEnumerable<KeyValuePair<string, CelAttribute>> Attributes(string name, PeerOf peerOf)
    {
        var map = new Map(peerOf);
        yield return new($"filter_state.{name}", (in FormatContext _) => CelValue.Of(map));
        foreach (var (member, value) in Members)
        {
            yield return new($"{name}.{member}", (in FormatContext c) => Value(peerOf(c), value));
        }
    }

    private static Peer? Upstream(in FormatContext context) => context.Endpoint?.Resource.Peer;

    // The namespace is what its certificate says.
    private static Peer? Downstream(in FormatContext context)
        => context.Record is not { Reporter: Reporter.Destination, Peer: { } peer } record ? null
            : record.Connection?.Principals.PeerNamespace is { Length: > 0 } proven ? peer.In(proven)
            : peer;

    private static CelValue Value(Peer? peer, Func<Peer, string> value)
        => peer is not null && value(peer) is var text && text != Peer.UnknownValue ? CelValue.Of(text) : default;

    private sealed class Map(PeerOf peerOf) : CelMap
    {
        public override CelValue Get(in FormatContext context, CelKey key)
        {
            foreach (var (member, value) in Members)
            {
                if (member == key.Text)
                {
                    return Value(peerOf(context), value);
                }
            }

            return default;
        }
    }
}
