namespace Bookinfo.Launcher;

/// <summary>Finds the folder of YAML that is in force: the one in the source tree, as that is the one people edit.</summary>
internal static class MeshFolder
{
    /// <summary>The full path, or an exception that says what to do.</summary>
    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static string Find(string? asked, IEnumerable<string> startingPoints)
    {
        if (asked is not null)
        {
            var path = Path.GetFullPath(asked);
            return Directory.Exists(path)
                ? path
                : throw new ArgumentException($"The folder {path} does not exist; --mesh takes a folder of YAML files.");
        }

        foreach (var start in startingPoints)
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                foreach (var candidate in new[] { Path.Combine(folder.FullName, "samples", "Bookinfo", "mesh"), Path.Combine(folder.FullName, "mesh") })
                {
                    if (File.Exists(Path.Combine(candidate, "services.yaml")))
                    {
                        return candidate;
                    }
                }
            }
        }

        throw new ArgumentException("The folder samples/Bookinfo/mesh is not to be found from here; name it with --mesh <folder>.");
    }
}
