using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// Unicode simple case folding (statuses C and S of CaseFolding.txt), as RE2 uses it for <c>(?i)</c>: code points that fold to the same one are equal.
/// </summary>
/// <remarks>
/// The runtime has simple upper- and lower-case mappings, not foldings. Their closure is the folding, except for the pairs in <see cref="Unmapped"/>:
/// U+017F, which the runtime's invariant casing leaves alone, and three pairs whose mappings are of more than one character.
/// Both tables are exact for the Unicode version that the runtime carries.
/// </remarks>
internal static class CaseFolding
{
    /// <summary>No character with case lies above; keeps the one-time scan short.</summary>
    private const int End = 0x20000;

    private static readonly (int First, int Second)[] Unmapped = [('s', 0x017F), (0x0390, 0x1FD3), (0x03B0, 0x1FE3), (0xFB05, 0xFB06)];

    private static readonly Lazy<(int[] Keys, int[][] Orbits)> Table = new(Create);

    /// <summary>Adds to <paramref name="builder"/> what is equal under folding to any member of the range.</summary>
    public static void AddEquivalents(CodePointSetBuilder builder, int low, int high)
    {
        var (keys, orbits) = Table.Value;
        var start = Array.BinarySearch(keys, low);
        for (var i = start < 0 ? ~start : start; i < keys.Length && keys[i] <= high; i++)
        {
            foreach (var member in orbits[i])
            {
                builder.Add(member, member);
            }
        }
    }

    private static (int[] Keys, int[][] Orbits) Create()
    {
        var orbitOf = new SortedDictionary<int, List<int>>();
        for (var value = 0; value < End; value++)
        {
            if (!Rune.TryCreate(value, out var rune))
            {
                continue;
            }

            Join(orbitOf, value, Rune.ToLowerInvariant(rune).Value);
            Join(orbitOf, value, Rune.ToUpperInvariant(rune).Value);
        }

        foreach (var (first, second) in Unmapped)
        {
            Join(orbitOf, first, second);
        }

        return (orbitOf.Keys.ToArray(), orbitOf.Values.Select(members => members.ToArray()).ToArray());
    }

    private static void Join(SortedDictionary<int, List<int>> orbitOf, int first, int second)
    {
        if (first == second)
        {
            return;
        }

        var into = OrbitOf(orbitOf, first);
        var from = OrbitOf(orbitOf, second);
        if (ReferenceEquals(into, from))
        {
            return;
        }

        into.AddRange(from);
        foreach (var member in from)
        {
            orbitOf[member] = into;
        }
    }

    private static List<int> OrbitOf(SortedDictionary<int, List<int>> orbitOf, int value)
    {
        if (!orbitOf.TryGetValue(value, out var orbit))
        {
            orbitOf[value] = orbit = [value];
        }

        return orbit;
    }
}
