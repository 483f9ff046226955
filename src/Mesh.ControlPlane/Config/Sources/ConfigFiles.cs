namespace Mesh.ControlPlane.Config.Sources;

/// <summary>Which files of a folder hold documents.</summary>
internal static class ConfigFiles
{
    private const int MaxDepth = 32;

    /// <summary>
    /// <c>*.yaml</c> and <c>*.yml</c>, but no hidden ones: those are editors' (<c>.reviews.yaml.swp</c>, <c>.#reviews.yaml</c>), and the
    /// <c>..data</c> of a mounted ConfigMap, whose files are linked from beside it.
    /// </summary>
    public static bool IsConfig(ReadOnlySpan<char> name)
        => !name.StartsWith(".")
            && !name.StartsWith("#")
            && (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase));

    /// <summary>The files below <paramref name="root"/> in the order of their paths, links followed once.</summary>
    /// <exception cref="IOException">The folder or one below it cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static List<string> List(string root, int max)
    {
        var files = new List<string>();
        var visited = new HashSet<string>(StringComparer.Ordinal);
        Walk(new DirectoryInfo(root), 0);
        files.Sort(StringComparer.Ordinal);
        return files;

        void Walk(DirectoryInfo folder, int depth)
        {
            var real = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
            if (depth > MaxDepth || !visited.Add(real))
            {
                return;
            }

            foreach (var entry in folder.EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal))
            {
                if (entry.Name.StartsWith('.'))
                {
                    continue;
                }

                if (entry is DirectoryInfo below)
                {
                    Walk(below, depth + 1);
                }
                else if (IsConfig(entry.Name) && files.Count < max)
                {
                    files.Add(entry.FullName);
                }
            }
        }
    }
}
