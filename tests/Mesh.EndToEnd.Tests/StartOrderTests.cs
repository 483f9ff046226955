using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests;

/// <summary>Nobody has to wait for anybody else to start.</summary>
public sealed class StartOrderTests
{
    [Fact]
    public async Task The_first_request_of_a_client_waits_for_a_control_plane_that_starts_later_than_everybody()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo"));
        var workload = await lab.StartWorkloadAsync("echo");

        // The longest back-off there is: the workload is back no later than its caller, as a control plane that has only just started knows nobody.
        var caller = await lab.StartCallerAsync(services: services => services.AddSingleton<IRandomSource>(new LargestRandomSource()));
        var first = caller.Client.GetAsync("http://echo/");
        await lab.StartControlPlaneAsync();
        await lab.ControlPlane.WhenRegisteredAsync(workloads => workloads.Any());
        using var response = await first.OrHang();

        ((int)response.StatusCode).ShouldBe(200, lab.Log.ToString());
        workload.Served.ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_control_plane_the_first_request_fails_after_a_bounded_wait_and_says_why()
    {
        var time = new ManualTimeProvider();
        await using var lab = new MeshLab();
        var caller = await lab.StartCallerAsync(
            options => options.Xds.ResourceTimeout = TimeSpan.FromMilliseconds(200),
            services => services.AddSingleton<TimeProvider>(time).AddSingleton<IRandomSource>(new LevelRandomSource { Level = 0.5 }));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://echo/");

        // Its wait is over when it has failed to connect, and lies in its back-off.
        var sending = caller.Client.SendAsync(request);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).OrHang();
        await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(200)).OrHang();
        time.Advance(TimeSpan.FromMilliseconds(200));
        using var response = await sending.OrHang();

        ((int)response.StatusCode).ShouldBe(503);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("NR");
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldContain("echo:80");
        text.ShouldContain("Connection refused");
    }

    [Fact]
    public async Task A_workload_that_starts_later_than_its_caller_is_called_as_soon_as_it_is_registered()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "grpc"));
        await lab.StartControlPlaneAsync();
        var caller = await lab.StartCallerAsync();
        using var before = await caller.Client.GetAsync("http://echo/");
        ((int)before.StatusCode).ShouldBe(503);
        (await before.Content.ReadAsStringAsync()).ShouldBe("no healthy upstream");

        await lab.StartWorkloadAsync("echo", protocol: Protocol.Grpc);
        await lab.WhenRegisteredAsync("echo", 1);

        using var after = await caller.Client.GetAsync("http://echo/");
        ((int)after.StatusCode).ShouldBe(200);
    }
}
