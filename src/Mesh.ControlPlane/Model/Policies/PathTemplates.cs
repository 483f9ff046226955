namespace Mesh.ControlPlane.Model.Policies;

/// <summary>Paths with <c>{*}</c> for a segment and <c>{**}</c> for the rest.</summary>
internal static class PathTemplates
{
    public static bool IsTemplate(string path)
        => path.Contains("{*}", StringComparison.Ordinal) || path.Contains("{**}", StringComparison.Ordinal);

    /// <summary>As Envoy writes them: without the braces.</summary>
    public static string ToEnvoy(string path)
        => path.Replace("{**}", "**", StringComparison.Ordinal).Replace("{*}", "*", StringComparison.Ordinal);
}
