using System.Globalization;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// The general categories that RE2 knows by one- and two-letter names, from the runtime's own Unicode data. RE2's <c>C</c> leaves out unassigned code points.
/// </summary>
internal static class UnicodeCategories
{
    private static readonly string[] Names =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc",
        "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So",
    ];

    private static readonly Lazy<Dictionary<string, CodePointSet>> Table = new(Create);

    public static CodePointSet? Find(string name) => name == "Any" ? CodePointSet.Any : Table.Value.GetValueOrDefault(name);

    private static Dictionary<string, CodePointSet> Create()
    {
        var builders = new Dictionary<string, CodePointSetBuilder>();
        var start = 0;
        var current = CharUnicodeInfo.GetUnicodeCategory(0);
        for (var value = 1; value <= CodePointSet.MaxCodePoint + 1; value++)
        {
            var category = value > CodePointSet.MaxCodePoint ? UnicodeCategory.OtherNotAssigned : CharUnicodeInfo.GetUnicodeCategory(value);
            if (category == current && value <= CodePointSet.MaxCodePoint)
            {
                continue;
            }

            if (current != UnicodeCategory.OtherNotAssigned)
            {
                var name = Names[(int)current];
                BuilderOf(builders, name).Add(start, value - 1);
                BuilderOf(builders, name[..1]).Add(start, value - 1);
            }

            start = value;
            current = category;
        }

        return builders.ToDictionary(entry => entry.Key, entry => entry.Value.Build());
    }

    private static CodePointSetBuilder BuilderOf(Dictionary<string, CodePointSetBuilder> builders, string name)
    {
        if (!builders.TryGetValue(name, out var builder))
        {
            builders[name] = builder = new CodePointSetBuilder();
        }

        return builder;
    }
}
