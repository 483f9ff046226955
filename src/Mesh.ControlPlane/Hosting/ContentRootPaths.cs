using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Hosting;

/// <summary>Paths in settings begin at the content root, wherever the process was started from.</summary>
internal sealed class ContentRootPaths(IHostEnvironment? environment) : IPostConfigureOptions<MeshControlPlaneOptions>
{
    private const string FileSuffix = ".registrations.json";

    public void PostConfigure(string? name, MeshControlPlaneOptions options)
    {
        var root = environment?.ContentRootPath ?? Directory.GetCurrentDirectory();
        if (options.ConfigFolder is { Length: > 0 } folder)
        {
            options.ConfigFolder = Path.GetFullPath(folder, root);
        }

        if (options.RegistrationsFile is null)
        {
            // Beside the folder and not in it: a file written there would wake the folder's watcher.
            options.RegistrationsFile = options.ConfigFolder is { Length: > 0 } config ? Path.TrimEndingDirectorySeparator(config) + FileSuffix : "";
        }
        else if (options.RegistrationsFile.Length > 0)
        {
            options.RegistrationsFile = Path.GetFullPath(options.RegistrationsFile, root);
        }
    }
}
