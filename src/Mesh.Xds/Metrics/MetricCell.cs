namespace Mesh.Xds.Metrics;

/// <summary>One label set of a family. Found once and kept by whoever counts.</summary>
internal abstract class MetricCell(string[] values)
{
    private KeyValuePair<string, object?>[]? _tags;

    /// <summary>Values of the family's labels, in their order.</summary>
    public string[] Values { get; } = values;

    /// <summary>The same as an instrument's tags.</summary>
    public KeyValuePair<string, object?>[] Tags(MetricFamily family)
    {
        return _tags ?? Make();

        KeyValuePair<string, object?>[] Make()
        {
            var tags = new KeyValuePair<string, object?>[Values.Length];
            for (var i = 0; i < tags.Length; i++)
            {
                tags[i] = new(family.Description.Tags[i], Values[i]);
            }

            return _tags = tags;
        }
    }
}
