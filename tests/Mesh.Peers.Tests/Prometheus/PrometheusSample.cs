namespace Mesh.Peers.Tests.Prometheus;

/// <summary>One row of an answer.</summary>
/// <param name="Labels">Its labels.</param>
/// <param name="Value">Its value.</param>
internal sealed record PrometheusSample(IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>A label's value; empty when there is none, as Prometheus sees it.</summary>
    public string this[string label] => Labels.GetValueOrDefault(label, "");

    public override string ToString() => $"{{{string.Join(",", Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}=\"{l.Value}\""))}}} {Value}";
}
