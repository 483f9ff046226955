using System.Globalization;

namespace Mesh.DataPlane.Headers;

/// <summary>Whole numbers as they stand in headers. The same few come again and again, and are the same strings then.</summary>
internal static class HeaderNumbers
{
    private const int Size = 1024;

    // A number has one place; what is there last stays. Whoever writes at the same time writes a whole entry.
    private static readonly Entry?[] Recent = new Entry?[Size];

    /// <param name="value">Not negative.</param>
    public static string Text(long value)
    {
        ref var place = ref Recent[value & (Size - 1)];
        var entry = Volatile.Read(ref place);
        if (entry is null || entry.Value != value)
        {
            entry = new Entry(value, value.ToString(CultureInfo.InvariantCulture));
            Volatile.Write(ref place, entry);
        }

        return entry.Text;
    }

    private sealed record Entry(long Value, string Text);
}
