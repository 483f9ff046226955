namespace Mesh.ControlPlane.Model;

/// <summary>The canonical name and revision of a workload, by which metrics and traces tell services apart: by its labels, as Istio finds them.</summary>
internal static class CanonicalService
{
    public const string DefaultRevision = "latest";

    private static readonly string[] NameLabels = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
    private static readonly string[] RevisionLabels = ["service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"];

    public static string NameOf(IReadOnlyDictionary<string, string> labels, string workload) => Find(labels, NameLabels) ?? workload;

    public static string RevisionOf(IReadOnlyDictionary<string, string> labels) => Find(labels, RevisionLabels) ?? DefaultRevision;

    private static string? Find(IReadOnlyDictionary<string, string> labels, string[] names)
    {
        foreach (var name in names)
        {
            if (labels.TryGetValue(name, out var value))
            {
                return value;
            }
        }

        return null;
    }
}
