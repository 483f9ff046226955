using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>
/// The tokens of a provider whose signature has been verified, by a hash of the whole token, and only for the keys that verified it. Bounded: when
/// the younger half is full, it becomes the older one, and what was there is forgotten. Times are checked on every request all the same.
/// </summary>
/// <param name="capacity">How many.</param>
/// <param name="longest">Longer tokens are verified each time: what a caller may make this process keep is bounded.</param>
internal sealed class VerifiedTokens(int capacity, int longest)
{
    private readonly int _half = Math.Max(1, capacity / 2);
    private ConcurrentDictionary<Key, Entry> _young = new();
    private ConcurrentDictionary<Key, Entry> _old = new();

    public CompactJwt? Find(in Key key, JsonWebKeySet keys)
    {
        if (!Volatile.Read(ref _young).TryGetValue(key, out var entry))
        {
            if (!Volatile.Read(ref _old).TryGetValue(key, out entry))
            {
                return null;
            }

            Add(key, entry);
        }

        return ReferenceEquals(entry.Keys, keys) ? entry.Token : null;
    }

    public void Add(in Key key, JsonWebKeySet keys, CompactJwt token, int length)
    {
        if (length <= longest)
        {
            Add(key, new Entry(token, keys));
        }
    }

    private void Add(in Key key, Entry entry)
    {
        var young = Volatile.Read(ref _young);
        if (young.Count >= _half && Interlocked.CompareExchange(ref _young, new(), young) == young)
        {
            Volatile.Write(ref _old, young);
        }

        Volatile.Read(ref _young)[key] = entry;
    }

    private sealed record Entry(CompactJwt Token, JsonWebKeySet Keys);

    /// <summary>SHA-256 of a token.</summary>
    public readonly record struct Key(ulong A, ulong B, ulong C, ulong D)
    {
        private const int MaxOnStack = 2048;

        public static Key Of(ReadOnlySpan<char> token)
        {
            var length = Encoding.UTF8.GetMaxByteCount(token.Length);
            Span<byte> bytes = length <= MaxOnStack ? stackalloc byte[MaxOnStack] : new byte[length];
            Span<ulong> hash = stackalloc ulong[4];
            SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], MemoryMarshal.AsBytes(hash));
            return new Key(hash[0], hash[1], hash[2], hash[3]);
        }
    }
}
