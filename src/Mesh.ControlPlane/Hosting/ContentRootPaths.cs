using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Hosting;

/// <summary>Paths in settings begin at the content root, wherever the process was started from.</summary>
internal sealed class ContentRootPaths(IHostEnvironment? environment) : IPostConfigureOptions<MeshControlPlaneOptions>
{
    private const string FileSuffix = ".registrations.json";
    private const string AuthoritySuffix = ".ca";

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

        var authority = options.CertificateAuthority;
        authority.Folder = authority.Folder is { Length: > 0 } own ? Path.GetFullPath(own, root)
            : authority.Folder is null && options.ConfigFolder is { Length: > 0 } beside ? Path.TrimEndingDirectorySeparator(beside) + AuthoritySuffix
            : "";
        authority.CaCerts = Full(authority.CaCerts);
        var authentication = options.Authentication;
        authentication.LoopbackTokenFile = Full(authentication.LoopbackTokenFile);
        foreach (var token in authentication.JoinTokens)
        {
            token.File = Full(token.File)!;
        }

        foreach (var issuer in authentication.ServiceAccountIssuers)
        {
            issuer.JwksFile = Full(issuer.JwksFile)!;
        }

        foreach (var binding in authentication.Roles)
        {
            binding.TokenFile = Full(binding.TokenFile);
        }

        string? Full(string? path) => string.IsNullOrEmpty(path) ? path : Path.GetFullPath(path, root);
    }
}
