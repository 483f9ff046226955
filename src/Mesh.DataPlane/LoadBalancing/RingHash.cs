using System.Globalization;
using System.Text;
using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>
/// Ketama: hosts stand many times on a ring, and a hash belongs to the next one (Envoy's <c>RING_HASH</c>, gRFC A42). For the same endpoints the
/// ring is that of Envoy and gRPC, entry by entry.
/// </summary>
/// <param name="MinimumRingSize">The ring has at least so many entries; Envoy's default is 1024.</param>
/// <param name="MaximumRingSize">The ring has at most so many entries; Envoy's default is 8 M.</param>
/// <param name="Murmur">Place hosts by <see cref="MurmurHash2"/> instead of <see cref="XxHash64"/>.</param>
/// <param name="UseHostname">Place hosts by their names instead of their addresses.</param>
/// <param name="BalanceFactor">A host takes at most so many percent of the average load; 0 for no bound.</param>
internal sealed record RingHash(ulong MinimumRingSize = 1024, ulong MaximumRingSize = RingHash.Limit, bool Murmur = false, bool UseHostname = false, uint BalanceFactor = 0)
    : ConsistentHashing(UseHostname, BalanceFactor)
{
    /// <summary>The greatest size that Envoy allows.</summary>
    public const ulong Limit = 8 * 1024 * 1024;

    protected override HashTable CreateTable(HashedHost[] hosts) => new Ring(hosts, MinimumRingSize, MaximumRingSize, Murmur);

    private sealed class Ring : HashTable
    {
        private readonly HashedHost[] _hosts;
        private readonly ulong[] _hashes;
        private readonly int[] _owners;

        public Ring(HashedHost[] hosts, ulong minimum, ulong maximum, bool murmur)
        {
            _hosts = hosts;

            // Scaled so that the lightest host has a whole number of entries, then down to what fits.
            var lightest = hosts.Min(h => h.Weight);
            var scale = Math.Min(Math.Ceiling(lightest * minimum) / lightest, maximum);

            var hashes = new List<ulong>((int)Math.Ceiling(scale));
            var owners = new List<int>(hashes.Capacity);
            var target = 0.0;
            for (var i = 0; i < hosts.Length; i++)
            {
                target += scale * hosts[i].Weight;
                var key = new byte[Encoding.UTF8.GetByteCount(hosts[i].Key) + 1 + 20];
                var prefix = Encoding.UTF8.GetBytes(hosts[i].Key, key);
                key[prefix++] = (byte)'_';
                for (var replica = 0UL; hashes.Count < target; replica++)
                {
                    replica.TryFormat(key.AsSpan(prefix), out var digits, provider: CultureInfo.InvariantCulture);
                    var name = key.AsSpan(0, prefix + digits);
                    hashes.Add(murmur ? MurmurHash2.Hash(name) : XxHash64.Hash(name));
                    owners.Add(i);
                }
            }

            _hashes = [.. hashes];
            _owners = [.. owners];
            Array.Sort(_hashes, _owners);
        }

        public override ref readonly HashedHost Find(ulong hash, uint attempt)
        {
            var (low, high) = (0, _hashes.Length);
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (_hashes[middle] < hash)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            // Past the end lies the beginning; a host that is not wanted is passed over, entry by entry, as in Envoy.
            var entry = low == _hashes.Length ? 0 : low;
            return ref _hosts[_owners[attempt == 0 ? entry : (int)(((uint)entry + (ulong)attempt) % (uint)_hashes.Length)]];
        }
    }
}
