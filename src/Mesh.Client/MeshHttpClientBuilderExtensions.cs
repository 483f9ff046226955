using Mesh;
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

    /// <summary>
    /// Says how this client gets to know that the mesh has answered itself, whatever <see cref="MeshClientOptions.LocalReplies"/> says. It neither puts the
    /// client into the mesh nor takes it out.
    /// </summary>
    /// <param name="builder">The client.</param>
    /// <param name="mode">Responses, as behind a proxy, or exceptions.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mode"/> is neither.</exception>
    public static IHttpClientBuilder UseMeshLocalReplies(this IHttpClientBuilder builder, LocalReplyMode mode)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "Use Response or Throw.");
        }

        builder.Services.Configure<MeshHttpClientOptions>(builder.Name, o => o.LocalReplies = mode);
        return builder;
    }
}
