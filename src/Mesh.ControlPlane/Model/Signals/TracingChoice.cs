using Istio.Telemetry.V1Alpha1;
using CustomTag = Istio.Telemetry.V1Alpha1.Tracing.Types.CustomTag;

namespace Mesh.ControlPlane.Model.Signals;

/// <summary>How one end of a workload's requests is traced, as Telemetry documents and default providers say.</summary>
internal sealed record TracingChoice
{
    /// <summary>The name of the provider that spans go to; <see langword="null"/>: none is named.</summary>
    public string? Provider { get; private init; }

    public bool IsDisabled { get; private init; }

    /// <summary><see langword="null"/>: what the MeshConfig says.</summary>
    public double? RandomSamplingPercentage { get; private init; }

    public IReadOnlyDictionary<string, CustomTag> CustomTags { get; private init; } = new Dictionary<string, CustomTag>();

    public bool UsesRequestIdForSampling { get; private init; } = true;

    public bool HasIstioTags { get; private init; } = true;

    /// <summary>Whether the context of traces is left as it came.</summary>
    public bool DisablesPropagation { get; private init; }

    /// <summary>Merges the documents that count for a workload, the later ones before the earlier ones.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="defaults">The providers that are meant where none is named; the first one counts.</param>
    /// <param name="mode"><c>CLIENT</c> or <c>SERVER</c>.</param>
    /// <returns><see langword="null"/> when nothing is said: what the MeshConfig says of tracing holds.</returns>
    public static TracingChoice? Of(IReadOnlyList<Telemetry> documents, IReadOnlyList<string> defaults, WorkloadMode mode)
    {
        var entries = documents.SelectMany(document => document.Tracing).ToArray();
        if (entries.Length == 0 && defaults.Count == 0)
        {
            return null;
        }

        var choice = new TracingChoice { Provider = defaults.Count > 0 ? defaults[0] : null };
        foreach (var entry in entries.Where(entry => entry.Match is null || entry.Match.Mode == WorkloadMode.ClientAndServer || entry.Match.Mode == mode))
        {
            // Tags are taken as a whole from the last one that has any, as in Istio.
            choice = choice with
            {
                Provider = entry.Providers.Count > 0 ? entry.Providers[0].Name : choice.Provider,
                IsDisabled = entry.DisableSpanReporting ?? choice.IsDisabled,
                RandomSamplingPercentage = entry.RandomSamplingPercentage ?? choice.RandomSamplingPercentage,
                CustomTags = entry.CustomTags.Count > 0 ? entry.CustomTags : choice.CustomTags,
                UsesRequestIdForSampling = entry.UseRequestIdForTraceSampling ?? choice.UsesRequestIdForSampling,
                HasIstioTags = entry.EnableIstioTags ?? choice.HasIstioTags,
                DisablesPropagation = entry.DisableContextPropagation ?? choice.DisablesPropagation,
            };
        }

        return choice;
    }
}
