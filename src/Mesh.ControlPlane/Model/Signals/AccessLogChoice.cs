using Istio.Telemetry.V1Alpha1;

namespace Mesh.ControlPlane.Model.Signals;

/// <summary>Which providers write the access logs of one end of a workload's requests, and of which requests.</summary>
/// <param name="Providers">By the provider's name; without a filter every request is meant.</param>
/// <param name="IsSaid">Whether a document or the default providers say anything at all: if not, what the MeshConfig says of a file holds.</param>
internal sealed record AccessLogChoice(IReadOnlyDictionary<string, AccessLogChoice.Spec> Providers, bool IsSaid)
{
    /// <summary>Merges the documents that count for a workload, the later ones before the earlier ones.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="defaults">The providers that are meant where none is named.</param>
    /// <param name="mode"><c>CLIENT</c> or <c>SERVER</c>.</param>
    public static AccessLogChoice Of(IReadOnlyList<Telemetry> documents, IReadOnlyList<string> defaults, WorkloadMode mode)
    {
        var levels = documents.Where(document => document.AccessLogging.Count > 0).ToArray();
        var chosen = new Dictionary<string, Spec>(StringComparer.Ordinal);
        if (levels.Length == 0)
        {
            foreach (var name in defaults)
            {
                chosen[name] = new Spec(false, null);
            }

            return new AccessLogChoice(chosen, chosen.Count > 0);
        }

        // 1. The last level that names providers says which there are.
        var inScope = defaults.ToHashSet(StringComparer.Ordinal);
        foreach (var level in levels)
        {
            var named = level.AccessLogging.Where(entry => IsFor(entry, mode)).SelectMany(entry => TelemetryProviders.NamesOf(entry.Providers)).ToHashSet(StringComparer.Ordinal);
            inScope = named.Count > 0 ? named : inScope;
        }

        // 2. Level by level each entry says how those are, or, naming none, how those of the entry before are.
        var inherited = defaults;
        var isOff = false;
        foreach (var entry in levels.SelectMany(level => level.AccessLogging))
        {
            inherited = entry.Providers.Count > 0 ? TelemetryProviders.NamesOf(entry.Providers) : inherited;
            if (!IsFor(entry, mode))
            {
                continue;
            }

            // Istio goes on with the MeshConfig's file where a document says no more than "disabled"; whoever writes that wants no log.
            isOff = inherited.Count == 0 && entry.Disabled == true;
            foreach (var name in inherited.Where(inScope.Contains))
            {
                chosen[name] = entry.Disabled == true
                    ? new Spec(true, null)
                    : new Spec(false, entry.Filter ?? (entry.Providers.Count == 0 ? chosen.GetValueOrDefault(name)?.Filter : null));
            }
        }

        return new AccessLogChoice(chosen, chosen.Count > 0 || isOff);
    }

    private static bool IsFor(AccessLogging entry, WorkloadMode mode) => entry.Match is null || entry.Match.Mode == WorkloadMode.ClientAndServer || entry.Match.Mode == mode;

    /// <summary>What a provider writes.</summary>
    /// <param name="IsDisabled">Nothing.</param>
    /// <param name="Filter">The requests that it writes of; <see langword="null"/>: all.</param>
    internal sealed record Spec(bool IsDisabled, AccessLogging.Types.Filter? Filter);
}
