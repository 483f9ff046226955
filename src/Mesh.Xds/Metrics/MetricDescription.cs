namespace Mesh.Xds.Metrics;

/// <summary>What is said of a metric.</summary>
/// <param name="Name">The name that queries use: Prometheus' letters, digits and underscores.</param>
/// <param name="Type">What its numbers mean.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Labels">Names of its labels.</param>
internal sealed record MetricDescription(string Name, MetricType Type, string Help, params string[] Labels)
{
    /// <summary>The name in <c>System.Diagnostics.Metrics</c>, where it is another: dots are usual there.</summary>
    public string Instrument { get; init; } = Name;

    /// <summary>Names of the tags of that instrument, where they are others than <see cref="Labels"/>.</summary>
    public string[] Tags { get; init; } = Labels;

    /// <summary>The instrument's unit in UCUM, as <c>ms</c>, <c>By</c> or <c>{request}</c>; <see langword="null"/> for none. No suffix of the name is made of it.</summary>
    public string? Unit { get; init; }

    /// <summary>Its labels are the operator's choice: there may be several families of this name, with other labels each.</summary>
    public bool HasVariants { get; init; }

    /// <summary>How many label sets it may have, where that is not what every metric may have.</summary>
    public int? MaxCells { get; init; }

    /// <summary>Throws on what would make an exposition unreadable.</summary>
    public void Check()
    {
        if (!IsName(Name, ':'))
        {
            throw new ArgumentException($"'{Name}' is no name of a metric");
        }

        for (var i = 0; i < Labels.Length; i++)
        {
            if (!IsName(Labels[i], '_') || Labels[i].StartsWith("__", StringComparison.Ordinal) || Labels.AsSpan(0, i).Contains(Labels[i])
                || (Type == MetricType.Histogram && Labels[i] == "le"))
            {
                throw new ArgumentException($"'{Labels[i]}' cannot be a label of {Name}");
            }
        }

        if (Tags.Length != Labels.Length)
        {
            throw new ArgumentException($"{Name} has {Labels.Length} labels and {Tags.Length} tags");
        }
    }

    /// <summary>Whether a text is a name of a metric (<paramref name="extra"/> is <c>:</c>) or of a label.</summary>
    public static bool IsName(string text, char extra)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!(char.IsAsciiLetter(text[i]) || text[i] == '_' || text[i] == extra || (i > 0 && char.IsAsciiDigit(text[i]))))
            {
                return false;
            }
        }

        return text.Length > 0;
    }
}
