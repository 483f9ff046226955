using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Model.Signals;

/// <summary>The Telemetry documents of the mesh; immutable, and the same object as long as none of them changes.</summary>
internal sealed class TelemetryIndex
{
    private readonly string _rootNamespace;

    private TelemetryIndex(string rootNamespace, PolicySet<Telemetry> documents)
    {
        _rootNamespace = rootNamespace;
        Documents = documents;
    }

    public PolicySet<Telemetry> Documents { get; }

    /// <param name="rootNamespace">The namespace whose document is everyone's.</param>
    public static TelemetryIndex Empty(string rootNamespace) => new(rootNamespace, PolicySet<Telemetry>.Empty);

    /// <summary>The next index; this one when nothing has changed.</summary>
    public TelemetryIndex With(IEnumerable<PolicyRule<Telemetry>> documents)
    {
        var next = Documents.With(documents);
        return ReferenceEquals(next, Documents) ? this : new TelemetryIndex(_rootNamespace, next);
    }

    /// <summary>The documents that count for a workload, the later ones before the earlier ones: the mesh's, the namespace's, then those that select it.</summary>
    /// <remarks>
    /// As in Istio: of a namespace's documents for everyone the oldest alone, of those that select a workload all of them, the oldest first; and those of
    /// the root namespace that select anything are for the root namespace.
    /// </remarks>
    public IReadOnlyList<PolicyRule<Telemetry>> Of(string @namespace, IReadOnlyDictionary<string, string> labels)
    {
        var levels = new List<PolicyRule<Telemetry>>();
        if (ForAllOf(_rootNamespace) is { } mesh)
        {
            levels.Add(mesh);
        }

        if (@namespace != _rootNamespace && ForAllOf(@namespace) is { } own)
        {
            levels.Add(own);
        }

        levels.AddRange(Documents.Of(@namespace).Where(document => !IsForAll(document) && document.IsFor(@namespace, labels)));
        return levels;
    }

    /// <summary>The document that counts for all workloads of a namespace, or of the mesh.</summary>
    public PolicyRule<Telemetry>? ForAllOf(string @namespace) => Documents.Of(@namespace).FirstOrDefault(IsForAll);

    public static bool IsForAll(PolicyRule<Telemetry> document) => document.Selector is null && document.Targets.Count == 0;
}
