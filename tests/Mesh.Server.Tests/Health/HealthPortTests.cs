using System.Net;
using Mesh.Server.Health;
using Mesh.Server.Tests.Inbound;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Server.Tests.Health;

/// <summary>Probes of whoever cannot speak the mesh's TLS.</summary>
public sealed class HealthPortTests
{
    [Fact]
    public async Task Probe_paths_are_answered_by_the_application_on_a_port_of_their_own_and_nothing_else_is()
    {
        await using var app = await InboundApp.StartAsync(
            mesh: options => options.Health.Port = 0,
            pipeline: a => a.MapGet("/healthz", () => "alive"));
        app.SetStrict();
        using var probe = MeshCaller.Plain(HealthPortOf(app));

        (await probe.GetStringAsync("/healthz")).ShouldBe("alive");
        (await probe.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await probe.GetAsync("/healthz/../who")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await probe.PostAsync("/healthz", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await MeshCaller.IsClosedAsync(app.Port)).ShouldBeTrue();
    }

    [Fact]
    public async Task The_paths_are_those_that_are_set()
    {
        await using var app = await InboundApp.StartAsync(
            mesh: options =>
            {
                options.Health.Port = 0;
                options.Health.Paths.Add("/who");
            },
            pipeline: a => a.MapGet("/healthz", () => "alive"));
        using var probe = MeshCaller.Plain(HealthPortOf(app));

        (await probe.GetAsync("/who")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await probe.GetAsync("/healthz")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_probe_that_knocks_at_a_STRICT_port_is_told_of_once_with_the_way_out()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await MeshCaller.ConnectAsync(app.Port);
            await stream.WriteAsync("GET /alive HTTP/1.1\r\nHost: app\r\nUser-Agent: kube-probe/1.31\r\n\r\n"u8.ToArray());
            (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        }

        app.Logs.Lines.Where(l => l.Contains("Mesh:Health:Port", StringComparison.Ordinal)).ShouldHaveSingleItem();
    }

    private static int HealthPortOf(InboundApp app) => app.App.Services.GetServices<IHostedService>().OfType<HealthServer>().Single().Port!.Value;
}
