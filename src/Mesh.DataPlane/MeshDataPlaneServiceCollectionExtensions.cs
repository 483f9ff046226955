using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane;

/// <summary>Puts the one engine of a process into its container; the doors share it.</summary>
internal static class MeshDataPlaneServiceCollectionExtensions
{
    public static IServiceCollection AddMeshDataPlane(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRandomSource>(SystemRandomSource.Instance);
        services.TryAddSingleton<IEndpointTransportFactory, SocketTransportFactory>();
        services.TryAddSingleton(p => new MeshEngine(
            p.GetRequiredService<IXdsClient>(),
            p.GetRequiredService<IOptions<MeshOptions>>().Value,
            p.GetRequiredService<IEndpointTransportFactory>(),
            p.GetRequiredService<IRandomSource>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetService<IDecisionObserver>()));
        return services;
    }
}
