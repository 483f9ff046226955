using Mesh.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts single clients into the mesh or takes them out.</summary>
public static class MeshHttpClientBuilderExtensions
{
    /// <summary>Sends this client's requests through the mesh, whatever <see cref="Mesh.MeshClientOptions.AllClients"/> says. Calling it twice is harmless.</summary>
    /// <param name="builder">The client.</param>
    /// <returns>The same builder.</returns>
    public static IHttpClientBuilder AddMesh(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddMeshClient();
        builder.Services.Configure<MeshHttpClientOptions>(builder.Name, o => o.Enabled = true);
        return builder;
    }

    /// <summary>Keeps this client out of the mesh: its requests go straight to its primary handler.</summary>
    /// <param name="builder">The client.</param>
    /// <returns>The same builder.</returns>
    public static IHttpClientBuilder RemoveMesh(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Configure<MeshHttpClientOptions>(builder.Name, o => o.Enabled = false);
        return builder;
    }
}
