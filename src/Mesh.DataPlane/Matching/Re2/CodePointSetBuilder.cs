namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Collects ranges and makes a <see cref="CodePointSet"/> of them.</summary>
internal sealed class CodePointSetBuilder
{
    private readonly List<(int Low, int High)> _ranges = [];

    public void Add(int low, int high) => _ranges.Add((low, high));

    public void Add(CodePointSet set)
    {
        foreach (var range in set.Ranges)
        {
            _ranges.Add(range);
        }
    }

    /// <summary>Adds a range and, when asked, everything that case folding holds equal to a member of it.</summary>
    public void Add(int low, int high, bool foldCase)
    {
        Add(low, high);
        if (foldCase)
        {
            CaseFolding.AddEquivalents(this, low, high);
        }
    }

    /// <summary>Adds a named class. Its negation under case folding is the complement of the folded class, as in RE2.</summary>
    public void AddClass(CodePointSet set, bool negated, bool foldCase)
    {
        var folded = set;
        if (foldCase)
        {
            var builder = new CodePointSetBuilder();
            foreach (var (low, high) in set.Ranges)
            {
                builder.Add(low, high, foldCase: true);
            }

            folded = builder.Build();
        }

        Add(negated ? Complement(folded) : folded);
    }

    public CodePointSet Build()
    {
        if (_ranges.Count == 0)
        {
            return CodePointSet.Empty;
        }

        _ranges.Sort();
        var merged = new List<(int Low, int High)>(_ranges.Count) { _ranges[0] };
        foreach (var (low, high) in _ranges)
        {
            var last = merged[^1];
            if (low <= last.High + 1)
            {
                merged[^1] = (last.Low, Math.Max(last.High, high));
            }
            else
            {
                merged.Add((low, high));
            }
        }

        return new CodePointSet(merged.ToArray());
    }

    public static CodePointSet Complement(CodePointSet set)
    {
        var gaps = new List<(int Low, int High)>();
        var next = 0;
        foreach (var (low, high) in set.Ranges)
        {
            if (next < low)
            {
                gaps.Add((next, low - 1));
            }

            next = high + 1;
        }

        if (next <= CodePointSet.MaxCodePoint)
        {
            gaps.Add((next, CodePointSet.MaxCodePoint));
        }

        return new CodePointSet(gaps.ToArray());
    }
}
