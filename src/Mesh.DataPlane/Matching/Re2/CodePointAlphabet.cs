using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// Maps text to the alphabet in which a translated pattern is written: ASCII stays itself; other code points become one private-use character
/// for each class of code points that the pattern cannot tell apart.
/// </summary>
/// <remarks>
/// Two gaps between RE2 and .NET close by this: .NET matches UTF-16 units where RE2 matches code points, and its <c>\b</c> is Unicode's where RE2's
/// is ASCII (private-use characters are not word characters). Text of ASCII alone, the usual case, needs no mapping.
/// A surrogate without its partner is matched by nothing, like invalid UTF-8 in RE2.
/// </remarks>
internal sealed class CodePointAlphabet
{
    /// <summary>A character that mapped text never contains; the class of an empty set.</summary>
    public const char Never = '\uF8FF';

    private const char Unmatchable = '\uF8FE';
    private const char FirstUnit = '\uE000';
    private const int FirstCodePoint = 0x80;

    /// <summary>First code point of each run that maps to the same character.</summary>
    private readonly int[] _starts;
    private readonly char[] _units;

    private CodePointAlphabet(int[] starts, char[] units)
    {
        _starts = starts;
        _units = units;
    }

    /// <summary>How many classes of non-ASCII code points the private use area has room for.</summary>
    public static int Capacity => Unmatchable - FirstUnit;

    /// <summary>Partitions the code points by membership in <paramref name="sets"/>; null when there are more classes than <see cref="Capacity"/>.</summary>
    public static CodePointAlphabet? Create(IReadOnlyCollection<CodePointSet> sets)
    {
        var starts = Boundaries(sets);
        var classes = new int[starts.Length];
        var next = 1;
        var split = new Dictionary<int, int>();
        foreach (var set in sets)
        {
            split.Clear();
            foreach (var (first, last) in Runs(starts, set))
            {
                for (var run = first; run <= last; run++)
                {
                    if (!split.TryGetValue(classes[run], out var into))
                    {
                        split[classes[run]] = into = next++;
                    }

                    classes[run] = into;
                }
            }
        }

        return Compact(starts, classes);
    }

    /// <summary>The ranges of characters that stand for <paramref name="set"/>, in ascending order.</summary>
    public IEnumerable<(char Low, char High)> Units(CodePointSet set)
    {
        var units = new SortedSet<char>();
        foreach (var (first, last) in Runs(_starts, set))
        {
            for (var run = first; run <= last; run++)
            {
                units.Add(_units[run]);
            }
        }

        return AsciiRanges(set).Concat(Consecutive(units));
    }

    /// <summary>Maps <paramref name="text"/> and returns the length, which is never more than the text's own.</summary>
    public int Map(ReadOnlySpan<char> text, Span<char> destination)
    {
        var length = 0;
        while (!text.IsEmpty)
        {
            destination[length++] = MapNext(text, out var consumed);
            text = text[consumed..];
        }

        return length;
    }

    private char MapNext(ReadOnlySpan<char> text, out int consumed)
    {
        consumed = 1;
        int codePoint = text[0];
        if (codePoint < FirstCodePoint)
        {
            return (char)codePoint;
        }

        if (char.IsSurrogate((char)codePoint))
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out consumed) != System.Buffers.OperationStatus.Done)
            {
                consumed = 1;
                return Unmatchable;
            }

            codePoint = rune.Value;
        }

        return _units[Find(_starts, codePoint)];
    }

    private static int[] Boundaries(IReadOnlyCollection<CodePointSet> sets)
    {
        var starts = new SortedSet<int> { FirstCodePoint };
        foreach (var set in sets)
        {
            foreach (var (low, high) in set.Ranges)
            {
                if (low > FirstCodePoint)
                {
                    starts.Add(low);
                }

                if (high >= FirstCodePoint && high < CodePointSet.MaxCodePoint)
                {
                    starts.Add(high + 1);
                }
            }
        }

        return starts.ToArray();
    }

    private static List<(int First, int Last)> Runs(int[] starts, CodePointSet set)
    {
        var runs = new List<(int First, int Last)>();
        foreach (var (low, high) in set.Ranges)
        {
            if (high >= FirstCodePoint)
            {
                runs.Add((Find(starts, Math.Max(low, FirstCodePoint)), Find(starts, high)));
            }
        }

        return runs;
    }

    private static int Find(int[] starts, int codePoint)
    {
        var index = Array.BinarySearch(starts, codePoint);
        return index < 0 ? ~index - 1 : index;
    }

    private static CodePointAlphabet? Compact(int[] starts, int[] classes)
    {
        var unitOf = new Dictionary<int, char>();
        var runs = new List<int>();
        var units = new List<char>();
        for (var i = 0; i < starts.Length; i++)
        {
            if (!unitOf.TryGetValue(classes[i], out var unit))
            {
                if (unitOf.Count == Capacity)
                {
                    return null;
                }

                unitOf[classes[i]] = unit = (char)(FirstUnit + unitOf.Count);
            }

            if (units.Count == 0 || units[^1] != unit)
            {
                runs.Add(starts[i]);
                units.Add(unit);
            }
        }

        return new CodePointAlphabet(runs.ToArray(), units.ToArray());
    }

    private static List<(char Low, char High)> AsciiRanges(CodePointSet set)
    {
        var ranges = new List<(char Low, char High)>();
        foreach (var (low, high) in set.Ranges)
        {
            if (low < FirstCodePoint)
            {
                ranges.Add(((char)low, (char)Math.Min(high, FirstCodePoint - 1)));
            }
        }

        return ranges;
    }

    private static IEnumerable<(char Low, char High)> Consecutive(SortedSet<char> units)
    {
        (char Low, char High)? pending = null;
        foreach (var unit in units)
        {
            if (pending is { } range && range.High + 1 == unit)
            {
                pending = (range.Low, unit);
                continue;
            }

            if (pending is { } done)
            {
                yield return done;
            }

            pending = (unit, unit);
        }

        if (pending is { } last)
        {
            yield return last;
        }
    }
}
