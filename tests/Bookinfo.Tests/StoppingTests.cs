using System.Diagnostics;

namespace Bookinfo.Tests;

/// <summary>However the launcher ends, nothing stays behind.</summary>
[Collection(WholeSample.Name)]
public class StoppingTests
{
    [Fact]
    public async Task Ctrl_C_stops_every_process()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // A console event cannot be sent to one process there.
        }

        await using var bookinfo = await LaunchedBookinfo.StartAsync();
        var services = bookinfo.ServiceIds();
        services.Count.ShouldBe(7);

        Signal.CtrlC(bookinfo.Launcher.Id);

        (await bookinfo.Launcher.ExitedAsync()).ShouldBe(0);
        bookinfo.Launcher.Lines[^1].ShouldBe("Everything is stopped.");
        await Task.WhenAll(services.Select(Signal.GoneAsync));
    }

    [Fact]
    public async Task A_killed_launcher_takes_its_services_with_it()
    {
        await using var bookinfo = await LaunchedBookinfo.StartAsync();
        var services = bookinfo.ServiceIds();
        services.Count.ShouldBe(7);

        bookinfo.Launcher.Kill();

        await Task.WhenAll(services.Select(Signal.GoneAsync));
    }

    [Fact]
    public async Task A_service_that_dies_is_told_in_one_line_and_the_others_go_on()
    {
        await using var bookinfo = await LaunchedBookinfo.StartAsync();

        // As delivered no page comes from v3: one that does shows that the change is live.
        bookinfo.Activate("virtual-service-reviews-v3.yaml");
        await bookinfo.UntilAsync("v3");

        using (var reviews = Process.GetProcessById(bookinfo.ServiceId("reviews-v1")))
        {
            reviews.Kill();
        }

        (await bookinfo.Launcher.LineAsync("reviews-v1 ended")).ShouldBe("reviews-v1 ended with exit code 137; the others go on without it.");
        (await bookinfo.LoadAsync()).ShouldBe("v3");
    }
}
