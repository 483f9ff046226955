namespace Mesh.DataPlane.LoadReporting;

/// <summary>The metrics of ORCA reports that a cluster wants to be told of: <c>cpu_utilization</c>, <c>named_metrics.queue</c>, <c>named_metrics.*</c>.</summary>
internal sealed class OrcaMetricNames
{
    private const string All = ".*";
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly string[] _prefixes;

    public OrcaMetricNames(IEnumerable<string> names)
    {
        var prefixes = new List<string>();
        foreach (var name in names)
        {
            if (name.EndsWith(All, StringComparison.Ordinal))
            {
                prefixes.Add(name[..^1]);
            }
            else
            {
                _names.Add(name);
            }
        }

        _prefixes = [.. prefixes];
    }

    public bool Includes(string name) => _names.Contains(name) || Array.Exists(_prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
