using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>A process that is both control plane and workload has one registry, and one bound of it.</summary>
public sealed class SeriesLimitTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_bound_holds_whoever_is_registered_first(bool controlPlaneFirst)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        if (controlPlaneFirst)
        {
            builder.Services.AddMeshControlPlane(_ => { });
        }

        builder.AddMesh(mesh => mesh.Metrics.MaxSeries = 7);
        if (!controlPlaneFirst)
        {
            builder.Services.AddMeshControlPlane(_ => { });
        }

        await using var services = builder.Services.BuildServiceProvider();
        services.GetRequiredService<MetricRegistry>().Limit.MaxCells.ShouldBe(7);
    }

    [Fact]
    public async Task A_control_plane_alone_has_the_default()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddMeshControlPlane(_ => { });
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<MetricRegistry>().Limit.MaxCells.ShouldBe(MetricRegistry.DefaultMaxCells);
    }
}
