using System.Numerics;

namespace Mesh.Xds.Metrics;

/// <summary>
/// Numbers that many threads add to. The first few threads have a copy each, which nobody else writes, so that adding is an ordinary addition; all
/// others share one for each processor, by <see cref="Interlocked"/>. A copy is made when it is first added to, and reading adds them up.
/// </summary>
internal struct Stripes(int length)
{
    private const int MaxShared = 16;
    private const int MaxOwners = 16;

    // Two lines: processors fetch them in pairs.
    private const int Padding = 16;

    private static readonly int Shared = Math.Min(MaxShared, (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount));

    // Half of a long is seen where a processor has no longs.
    private static readonly int Owned = Environment.Is64BitProcess ? Math.Min(MaxOwners, 2 * Environment.ProcessorCount) : 0;

    private static int _owners;

    [ThreadStatic]
    private static Owner? _owner;

    private readonly long[]?[] _stripes = new long[]?[Owned + Shared];

    /// <summary>Which copy is for this thread to add to; good until the method that asks is over.</summary>
    public static int Here => (_owner ?? Enter()).Place is >= 0 and var place ? place : Owned + (Thread.GetCurrentProcessorId() & (Shared - 1));

    /// <summary>Adds to one number.</summary>
    /// <param name="place">Which.</param>
    /// <param name="by">How much.</param>
    /// <param name="stripe"><see cref="Here"/>.</param>
    public readonly void Add(int place, long by, int stripe)
    {
        ref var number = ref Of(stripe)[place];
        if (stripe < Owned)
        {
            Volatile.Write(ref number, number + by);
        }
        else
        {
            Interlocked.Add(ref number, by);
        }
    }

    /// <summary>The same, where the numbers are bits of doubles.</summary>
    public readonly void AddDouble(int place, double by, int stripe)
    {
        ref var number = ref Of(stripe)[place];
        if (stripe < Owned)
        {
            Volatile.Write(ref number, BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(number) + by));
            return;
        }

        long seen;
        do
        {
            seen = Volatile.Read(ref number);
        }
        while (Interlocked.CompareExchange(ref number, BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(seen) + by), seen) != seen);
    }

    /// <summary>All copies' numbers at one place, added.</summary>
    public readonly long Sum(int place)
    {
        long sum = 0;
        foreach (ref var stripe in _stripes.AsSpan())
        {
            if (Volatile.Read(ref stripe) is { } numbers)
            {
                sum += Volatile.Read(ref numbers[place]);
            }
        }

        return sum;
    }

    /// <summary>The same, where the numbers are bits of doubles.</summary>
    public readonly double SumDoubles(int place)
    {
        double sum = 0;
        foreach (ref var stripe in _stripes.AsSpan())
        {
            if (Volatile.Read(ref stripe) is { } numbers)
            {
                sum += BitConverter.Int64BitsToDouble(Volatile.Read(ref numbers[place]));
            }
        }

        return sum;
    }

    private static Owner Enter()
    {
        var taken = Volatile.Read(ref _owners);
        for (var place = 0; place < Owned;)
        {
            if ((taken & (1 << place)) != 0)
            {
                place++;
                continue;
            }

            var seen = Interlocked.CompareExchange(ref _owners, taken | (1 << place), taken);
            if (seen == taken)
            {
                return _owner = new Owner(place);
            }

            (taken, place) = (seen, 0);
        }

        return _owner = Owner.Nobody;
    }

    private readonly long[] Of(int stripe) => Volatile.Read(ref _stripes[stripe]) ?? Make(stripe);

    private readonly long[] Make(int stripe)
    {
        var made = new long[length + Padding];
        return Interlocked.CompareExchange(ref _stripes[stripe], made, null) ?? made;
    }

    /// <summary>A thread's hold on a copy of its own, given back when the thread is gone.</summary>
    private sealed class Owner(int place)
    {
        /// <summary>For threads that came when all copies were taken: they do not ask again.</summary>
        public static readonly Owner Nobody = Create();

        ~Owner() => Interlocked.And(ref _owners, ~(1 << Place));

        /// <summary>Negative for none.</summary>
        public int Place { get; } = place;

        private static Owner Create()
        {
            var nobody = new Owner(-1);
            GC.SuppressFinalize(nobody);
            return nobody;
        }
    }
}
