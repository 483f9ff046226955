using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Hosts fill a table of prime size in turn, each by its own permutation (Envoy's <c>MAGLEV</c>): even spread, one look per pick.</summary>
/// <param name="TableSize">A prime; Envoy's default is 65537.</param>
/// <param name="UseHostname">Place hosts by their names instead of their addresses.</param>
/// <param name="BalanceFactor">A host takes at most so many percent of the average load; 0 for no bound.</param>
internal sealed record Maglev(uint TableSize = 65537, bool UseHostname = false, uint BalanceFactor = 0) : ConsistentHashing(UseHostname, BalanceFactor)
{
    /// <summary>The greatest size that Envoy allows.</summary>
    public const uint Limit = 5_000_011;

    protected override HashTable CreateTable(HashedHost[] hosts) => hosts.Length <= byte.MaxValue + 1 ? new Narrow(hosts, TableSize) : new Wide(hosts, TableSize);

    /// <summary>Whether Envoy would take the size.</summary>
    public static bool IsPrime(ulong size)
    {
        if (size < 2)
        {
            return false;
        }

        for (var divisor = 2UL; divisor * divisor <= size; divisor++)
        {
            if (size % divisor == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static HashedHost[] Sorted(HashedHost[] hosts)
    {
        // The order of filling decides who owns what, so it must not be the order in which hosts happened to be sent.
        var sorted = (HashedHost[])hosts.Clone();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return sorted;
    }

    // Listing 1 of the Maglev paper with Envoy's weights: who has the greatest takes an entry in every turn, another one when its share has grown to one.
    private static void Fill<T>(T[] table, HashedHost[] hosts, Func<int, T> entry)
    {
        var size = (uint)table.Length;
        var heaviest = hosts.Max(h => h.Weight);
        var next = Array.ConvertAll(hosts, h => (uint)(XxHash64.Hash(h.Key) % size));
        var skips = Array.ConvertAll(hosts, h => (uint)(XxHash64.Hash(h.Key, 1) % (size - 1)) + 1);
        var targets = new double[hosts.Length];
        var taken = new System.Collections.BitArray(table.Length);
        var filled = 0;
        for (var turn = 1U; filled < table.Length; turn++)
        {
            for (var i = 0; i < hosts.Length && filled < table.Length; i++)
            {
                if (turn * hosts[i].Weight < targets[i])
                {
                    continue;
                }

                targets[i] += heaviest;
                while (taken[(int)next[i]])
                {
                    next[i] = (next[i] + skips[i]) % size;
                }

                table[next[i]] = entry(i);
                taken[(int)next[i]] = true;
                filled++;
            }
        }
    }

    // Most bits change with every attempt, so that further hosts are unlikely to be the same.
    private static int Entry(ulong hash, uint attempt, int size) => (int)((attempt == 0 ? hash : hash ^ (ulong.MaxValue - attempt + 1)) % (uint)size);

    private sealed class Narrow : HashTable
    {
        private readonly HashedHost[] _hosts;
        private readonly byte[] _table;

        public Narrow(HashedHost[] hosts, uint size)
        {
            _hosts = Sorted(hosts);
            _table = new byte[size];
            Fill(_table, _hosts, static i => (byte)i);
        }

        public override ref readonly HashedHost Find(ulong hash, uint attempt) => ref _hosts[_table[Entry(hash, attempt, _table.Length)]];
    }

    private sealed class Wide : HashTable
    {
        private readonly HashedHost[] _hosts;
        private readonly int[] _table;

        public Wide(HashedHost[] hosts, uint size)
        {
            _hosts = Sorted(hosts);
            _table = new int[size];
            Fill(_table, _hosts, static i => i);
        }

        public override ref readonly HashedHost Find(ulong hash, uint attempt) => ref _hosts[_table[Entry(hash, attempt, _table.Length)]];
    }
}
