namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// Estimates the number of instructions of the program that RE2 would compile, Envoy's measure of the complexity of a pattern. RE2 also shares
/// common prefixes of alternatives, so that the estimate is at times higher than the original's figure.
/// </summary>
internal sealed class ProgramSizeEstimator
{
    /// <summary>The match, the failure, and the loop in front of an unanchored search.</summary>
    private const long Fixed = 4;

    /// <summary>Stops the arithmetic long before it can overflow; far above any limit in use.</summary>
    private const long Ceiling = int.MaxValue;

    private static readonly (int Low, int High)[] LengthClasses = [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, 0x10FFFF)];

    private readonly Dictionary<CodePointSet, long> _sets = [];

    public static int Estimate(Re2Node root) => (int)Math.Min(Fixed + new ProgramSizeEstimator().Size(root), Ceiling);

    private long Size(Re2Node node)
    {
        switch (node.Kind)
        {
            case Re2NodeKind.Empty:
                return 0;
            case Re2NodeKind.Set:
                return SetSize(node.Set);
            case Re2NodeKind.Capture:
                return 2 + Size(node.Children[0]);
            case Re2NodeKind.Repeat:
                return Math.Min(RepeatSize(node.Min, node.Max, Size(node.Children[0])), Ceiling);
            case Re2NodeKind.Concatenation or Re2NodeKind.Alternation:
                return Math.Min(node.Children.Sum(Size), Ceiling);
            default:
                return 1;
        }
    }

    private static long RepeatSize(int min, int max, long size) => (min, max) switch
    {
        (0, Re2Node.Unbounded) => size,
        (_, Re2Node.Unbounded) => (min * size) + 1,
        _ => (min * size) + ((max - min) * (size + 1)),
    };

    private long SetSize(CodePointSet set)
    {
        if (_sets.TryGetValue(set, out var size))
        {
            return size;
        }

        // One instruction per distinct byte range and continuation, as RE2's suffix cache has it.
        var instructions = new Dictionary<(int Low, int High, int Next), int>();
        foreach (var (low, high) in set.Ranges)
        {
            foreach (var (first, last) in LengthClasses)
            {
                if (low <= last && high >= first)
                {
                    Split(Math.Max(low, first), Math.Min(high, last), instructions);
                }
            }
        }

        return _sets[set] = instructions.Count;
    }

    private static void Split(int low, int high, Dictionary<(int Low, int High, int Next), int> instructions)
    {
        // Cut so that each part is a product of byte ranges: all trailing six-bit groups are either equal or complete.
        if (low > 0x7F)
        {
            for (var bits = 6; bits <= 18; bits += 6)
            {
                var mask = (1 << bits) - 1;
                if ((low & ~mask) == (high & ~mask))
                {
                    continue;
                }

                if ((low & mask) != 0)
                {
                    Split(low, low | mask, instructions);
                    Split((low | mask) + 1, high, instructions);
                    return;
                }

                if ((high & mask) != mask)
                {
                    Split(low, (high & ~mask) - 1, instructions);
                    Split(high & ~mask, high, instructions);
                    return;
                }
            }
        }

        Span<byte> lowBytes = stackalloc byte[4];
        Span<byte> highBytes = stackalloc byte[4];
        var length = Encode(low, lowBytes);
        Encode(high, highBytes);
        var next = 0;
        for (var i = length - 1; i >= 0; i--)
        {
            var key = (lowBytes[i], highBytes[i], next);
            if (!instructions.TryGetValue(key, out next))
            {
                instructions[key] = next = instructions.Count + 1;
            }
        }
    }

    /// <summary>Writes UTF-8, of surrogates too: ranges run across them.</summary>
    private static int Encode(int codePoint, Span<byte> bytes)
    {
        if (codePoint < 0x80)
        {
            bytes[0] = (byte)codePoint;
            return 1;
        }

        var length = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        for (var i = length - 1; i > 0; i--)
        {
            bytes[i] = (byte)(0x80 | (codePoint & 0x3F));
            codePoint >>= 6;
        }

        bytes[0] = (byte)((0xF00 >> length) | codePoint);
        return length;
    }
}
