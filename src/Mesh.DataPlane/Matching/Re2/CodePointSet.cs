namespace Mesh.DataPlane.Matching.Re2;

/// <summary>An immutable set of code points as sorted, disjoint, non-adjacent ranges.</summary>
internal sealed class CodePointSet : IEquatable<CodePointSet>
{
    public const int MaxCodePoint = 0x10FFFF;

    public static readonly CodePointSet Empty = new([]);

    public static readonly CodePointSet Any = new([(0, MaxCodePoint)]);

    public static readonly CodePointSet AnyButNewline = new([(0, '\n' - 1), ('\n' + 1, MaxCodePoint)]);

    private readonly (int Low, int High)[] _ranges;
    private readonly int _hash;

    public CodePointSet((int Low, int High)[] ranges)
    {
        _ranges = ranges;
        var hash = new HashCode();
        foreach (var range in ranges)
        {
            hash.Add(range);
        }

        _hash = hash.ToHashCode();
    }

    public ReadOnlySpan<(int Low, int High)> Ranges => _ranges;

    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>The only member, or -1.</summary>
    public int Single => _ranges is [var only] && only.Low == only.High ? only.Low : -1;

    public bool Contains(int codePoint)
    {
        var (from, to) = (0, _ranges.Length - 1);
        while (from <= to)
        {
            var middle = (from + to) >>> 1;
            if (codePoint < _ranges[middle].Low)
            {
                to = middle - 1;
            }
            else if (codePoint > _ranges[middle].High)
            {
                from = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    public bool Equals(CodePointSet? other) => other is not null && _hash == other._hash && _ranges.AsSpan().SequenceEqual(other._ranges);

    public override bool Equals(object? obj) => Equals(obj as CodePointSet);

    public override int GetHashCode() => _hash;
}
