using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The annotation of a policy that is to be evaluated and told of, but not enforced.</summary>
internal static class DryRun
{
    public const string Annotation = "istio.io/dry-run";

    /// <summary>What Go's <c>ParseBool</c> takes for true; whatever else is written enforces.</summary>
    public static bool IsOn(ConfigResource policy)
        => policy.Annotations.TryGetValue(Annotation, out var value) && value is "1" or "t" or "T" or "true" or "TRUE" or "True";

    /// <summary>Whether the annotation says neither yes nor no.</summary>
    public static bool IsWrong(ConfigResource policy)
        => policy.Annotations.TryGetValue(Annotation, out var value)
            && value is not ("1" or "t" or "T" or "true" or "TRUE" or "True" or "0" or "f" or "F" or "false" or "FALSE" or "False");
}
