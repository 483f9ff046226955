using Mesh;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Says where the mesh's configuration comes from.</summary>
public static class MeshBuilderExtensions
{
    /// <summary>Takes the configuration from an ADS server: Mesh's own control plane, Istio's istiod, or any other that speaks xDS v3.</summary>
    /// <param name="builder">The mesh.</param>
    /// <param name="server"><c>http://host:15010</c> (plain text), <c>https://host:15012</c>, <c>unix:///path</c>, <c>dns:///host:port</c> or <c>host:port</c>.</param>
    /// <returns>The same builder.</returns>
    public static IMeshBuilder UseXds(this IMeshBuilder builder, string server)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(server);
        builder.Services.AddOptions<MeshOptions>().PostConfigure(o => o.Xds.Server = server);
        return builder;
    }
}
