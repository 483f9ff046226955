using Mesh;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bookinfo.Hosting;

internal static class ServiceCollectionExtensions
{
    public static void TryAddTimeProvider(this IServiceCollection services) => services.TryAddSingleton(TimeProvider.System);

    public static void TryAddRandomSource(this IServiceCollection services)
        => services.TryAddSingleton<IRandomSource>(SystemRandomSource.Instance);
}
