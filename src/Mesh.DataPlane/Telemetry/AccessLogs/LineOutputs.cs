namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Paths that are no files.</summary>
internal static class LineOutputs
{
    public const string Stdout = "/dev/stdout";
    public const string Stderr = "/dev/stderr";
    public const string Null = "/dev/null";

    /// <summary>Where a control plane's file lies; <see langword="null"/> where it may not write one.</summary>
    /// <param name="path">What it asks for.</param>
    /// <param name="directory">The directory below which it may have files written.</param>
    public static string? Resolve(string path, string? directory)
    {
        if (string.IsNullOrEmpty(directory) || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        var full = Path.GetFullPath(path, root);
        return full.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal) && !Path.EndsInDirectorySeparator(full) ? full : null;
    }
}
