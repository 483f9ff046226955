using Mesh.DataPlane;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

public class ContainerTests
{
    [Fact]
    public void A_console_program_may_dispose_its_container_synchronously()
    {
        var services = new ServiceCollection();
        services.AddMeshClient(mesh => mesh.Xds.Server = "http://127.0.0.1:1");
        var provider = services.BuildServiceProvider();
        provider.GetRequiredService<MeshEngine>();
        provider.Dispose();
    }

    [Fact]
    public void A_control_plane_in_the_process_may_be_disposed_synchronously_too()
    {
        var folder = Directory.CreateTempSubdirectory();
        var services = new ServiceCollection();
        services.AddMeshClient().LoadFromIstio(folder.FullName);
        var provider = services.BuildServiceProvider();
        provider.GetRequiredService<MeshEngine>();
        provider.Dispose();
        folder.Delete(recursive: true);
    }
}
