using System.Runtime.CompilerServices;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests;

public class LostResponseTests
{
    [Theory]
    [InlineData(false, 2_000)]
    [InlineData(true, 5_000)]
    public async Task Responses_that_nobody_reads_or_disposes_are_counted_off_in_the_end(bool http2, int count)
    {
        await using var server = await WebServer.StartAsync(
            context => context.Response.WriteAsync("never read"),
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080").WithoutLimits();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port).Use(http2 ? ClientMesh.Http2(cluster) : cluster);

        for (var i = 0; i < count; i += 100)
        {
            await LoseAsync(mesh, 100).Within();
            if (i % 500 == 0)
            {
                GC.Collect();
            }
        }

        await Hang.Until(() =>
        {
            // What a finalizer hands to the thread pool is done when it is its turn.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return mesh.ActiveRequests + mesh.Permits == 0;
        });

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("never read");
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task LoseAsync(ClientMesh mesh, int count)
    {
        var client = mesh.Client();
        for (var i = 0; i < count; i++)
        {
            (await client.GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
        }
    }
}
