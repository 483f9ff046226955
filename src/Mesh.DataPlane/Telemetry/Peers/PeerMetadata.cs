using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>
/// What Istio's proxies tell one another of themselves in two headers: an id, and a base64 of a protobuf struct. Remembered by id, so that the second
/// request of a peer costs a look-up; and what connections begin with by who makes them.
/// </summary>
internal sealed class PeerMetadata
{
    public const string Header = "x-envoy-peer-metadata";

    public const string IdHeader = "x-envoy-peer-metadata-id";

    // Istio's own limit of peers; and no node says more of itself than this.
    private const int MaxPeers = 500;
    private const int MaxLength = 16 * 1024;
    private const int MaxIdLength = 512;

    private readonly ConcurrentDictionary<(string Principal, string Id), (string Text, Peer Peer)> _known = new();
    private readonly ConcurrentDictionary<string, (byte[] Content, Peer Peer)> _introduced = new();
    private int _count;
    private int _introducedCount;

    /// <summary>Reads what a peer that has proven who it is tells of itself. Its namespace is its certificate's to tell, and not this.</summary>
    /// <param name="principal">Its identity: what one workload says is never taken for another's.</param>
    /// <param name="id">Its id; <see langword="null"/> when it has sent none.</param>
    /// <param name="text">What it tells; <see langword="null"/> when it has sent nothing.</param>
    /// <returns><see langword="null"/> when it tells nothing that can be read.</returns>
    public Peer? Read(string principal, string? id, string? text)
    {
        var isNamed = id is { Length: > 0 and <= MaxIdLength };
        if (isNamed && _known.TryGetValue((principal, id!), out var known) && (string.IsNullOrEmpty(text) || known.Text == text))
        {
            return known.Peer;
        }

        if (string.IsNullOrEmpty(text) || text.Length > MaxLength || Decode(text) is not { } peer)
        {
            return null;
        }

        if (isNamed)
        {
            Remember(_known, ref _count, (principal, id!), (text, peer));
        }

        return peer;
    }

    /// <summary>Reads the introduction of a peer that has proven who it is.</summary>
    /// <param name="principal">Its identity.</param>
    /// <param name="content">What it says.</param>
    /// <returns><see langword="null"/> when it says nothing that can be read.</returns>
    public Peer? ReadIntroduction(string principal, byte[] content)
    {
        if (_introduced.TryGetValue(principal, out var known) && known.Content.AsSpan().SequenceEqual(content))
        {
            return known.Peer;
        }

        if (Introduction.Decode(content) is not { } peer)
        {
            return null;
        }

        Remember(_introduced, ref _introducedCount, principal, (content, peer));
        return peer;
    }

    private static Peer? Decode(string text)
    {
        // Istio leaves the padding out, or not.
        var bytes = new byte[text.Length];
        var padded = text.Length % 4 == 0 ? text : text.PadRight(text.Length + 4 - (text.Length % 4), '=');
        if (!Convert.TryFromBase64String(padded, bytes, out var length))
        {
            return null;
        }

        try
        {
            return Peer.OfNode(Struct.Parser.ParseFrom(bytes.AsSpan(0, length)));
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static void Remember<TKey, TValue>(ConcurrentDictionary<TKey, TValue> known, ref int count, TKey key, TValue value)
        where TKey : notnull
    {
        if (Volatile.Read(ref count) >= MaxPeers)
        {
            // Whoever still calls is known again with the next request.
            known.Clear();
            Volatile.Write(ref count, 0);
        }

        if (known.TryAdd(key, value))
        {
            Interlocked.Increment(ref count);
        }
        else
        {
            known[key] = value;
        }
    }
}
