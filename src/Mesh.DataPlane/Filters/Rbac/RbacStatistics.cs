using System.Collections.Concurrent;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// What this process has allowed and denied, by Envoy's names: <c>allowed</c>, <c>denied</c>, <c>shadow_allowed</c>, <c>shadow_denied</c>, <c>logged</c>,
/// <c>not_logged</c>, and <c>policy.name.allowed</c> where policies are tracked. Counters outlive the configurations that count by them.
/// </summary>
internal sealed class RbacStatistics
{
    // Names come from configurations, of which there may be many in a long life.
    private const int MaxNames = 20_000;

    private readonly ConcurrentDictionary<string, RbacCounter> _counters = new(StringComparer.Ordinal);

    /// <summary>The counters that are not zero.</summary>
    public IReadOnlyDictionary<string, long> Read()
        => _counters.Where(c => c.Value.Value > 0).ToDictionary(c => c.Key, c => c.Value.Value, StringComparer.Ordinal);

    public long Of(string name) => _counters.TryGetValue(name, out var counter) ? counter.Value : 0;

    /// <summary>A counter, the same for the same name.</summary>
    public RbacCounter Counter(string name)
        => _counters.TryGetValue(name, out var known) ? known
            : _counters.Count >= MaxNames ? new RbacCounter()
            : _counters.GetOrAdd(name, static _ => new RbacCounter());
}
