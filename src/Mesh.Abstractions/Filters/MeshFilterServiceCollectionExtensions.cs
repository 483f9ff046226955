using System.Diagnostics.CodeAnalysis;
using Mesh;
using Mesh.Filters;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes an application's own HTTP filters known to the mesh.</summary>
public static class MeshFilterServiceCollectionExtensions
{
    /// <summary>
    /// Registers a filter, which the control plane can then put into the chain of listeners and routes by the type URL of its configuration.
    /// Registering the type URL of a filter that is built in replaces it. Calling it twice is harmless.
    /// </summary>
    /// <typeparam name="TFilter">
    /// The filter. Its constructor takes services and, where it has one, the configuration as a <see cref="System.Text.Json.JsonElement"/>.
    /// </typeparam>
    /// <param name="services">The services of the application.</param>
    /// <param name="typeUrl">
    /// The type URL: <c>type.googleapis.com/my.Filter</c>. The configuration travels in an <c>xds.type.v3.TypedStruct</c> with this
    /// <c>type_url</c>.
    /// </param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddMeshFilter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFilter>(
        this IServiceCollection services,
        string typeUrl)
        where TFilter : HttpFilter
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(typeUrl);
        var registration = new HttpFilterRegistration(typeUrl, typeof(TFilter));
        if (!services.Any(s => s.ServiceType == typeof(HttpFilterRegistration) && registration.Equals(s.ImplementationInstance)))
        {
            services.AddSingleton(registration);
        }

        return services;
    }

    /// <inheritdoc cref="AddMeshFilter{TFilter}(IServiceCollection, string)"/>
    /// <param name="builder">The mesh.</param>
    /// <param name="typeUrl">The type URL: <c>type.googleapis.com/my.Filter</c>.</param>
    /// <returns>The same builder.</returns>
    public static IMeshBuilder AddFilter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFilter>(
        this IMeshBuilder builder,
        string typeUrl)
        where TFilter : HttpFilter
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddMeshFilter<TFilter>(typeUrl);
        return builder;
    }
}
