using System.Globalization;

namespace Mesh.Xds.Tests.Wire;

/// <summary>What is published about the messages that the project carries, one row a field, required oneof, enum value or method.</summary>
internal static class WireFacts
{
    public static IReadOnlyList<WireFact> All { get; } = Read();

    private static List<WireFact> Read()
    {
        using var reader = new StreamReader(typeof(WireFacts).Assembly.GetManifestResourceStream("wire-facts.tsv")!);
        reader.ReadLine();
        var facts = new List<WireFact>();
        while (reader.ReadLine() is { } line)
        {
            var columns = line.Split('\t');
            facts.Add(new WireFact(
                columns[0], columns[1], columns[2], columns[3].Length == 0 ? 0 : int.Parse(columns[3], CultureInfo.InvariantCulture), columns[4], columns[5], columns[6], columns[7]));
        }

        return facts;
    }
}
