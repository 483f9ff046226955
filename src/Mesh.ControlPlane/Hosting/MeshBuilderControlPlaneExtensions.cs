using Mesh;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Runs the control plane inside the application that it configures.</summary>
public static class MeshBuilderControlPlaneExtensions
{
    /// <summary>
    /// Takes the mesh's configuration from a folder of Istio YAML, with no server: the control plane runs in this process, and the
    /// folder is watched.
    /// </summary>
    /// <param name="builder">The mesh of this application.</param>
    /// <param name="folder">The folder; a relative path begins at the content root.</param>
    /// <returns>The same builder.</returns>
    public static IMeshBuilder LoadFromIstio(this IMeshBuilder builder, string folder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        builder.Services.AddMeshControlPlane(options =>
        {
            options.ConfigFolder = folder;

            // The only workload that registers here is this process itself: it takes its registration with it when it ends.
            options.RegistrationsFile = "";

            // Nor does anybody else trust its authority, unless it is given one.
            options.CertificateAuthority.Folder ??= "";
            options.Authentication.AllowLoopback ??= false;
            options.PushDebounce = TimeSpan.Zero;
        });
        builder.Services.TryAddSingleton<IAdsTransport>(
            provider => new InProcessAdsTransport(provider.GetRequiredService<IAdsServer>(), $"in this process, from {folder}", provider.GetRequiredService<ILoadReportServer>()));
        return builder;
    }
}
