using System.Globalization;

namespace Bookinfo.Launcher;

/// <summary>One run of the sample: every process from start to stop.</summary>
internal sealed class Launch(LauncherOptions options, string folder, LauncherConsole console, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);

    private static readonly (string Service, string Version)[] Services =
    [
        ("details", "v1"), ("ratings", "v1"), ("reviews", "v1"), ("reviews", "v2"), ("reviews", "v3"), ("productpage", "v1"),
    ];

    /// <summary>The ports of the mesh's admin, one for each service.</summary>
    public static IEnumerable<int> AdminPorts(LauncherOptions options) => Services.Select((_, i) => options.AdminPort == 0 ? 0 : Math.Min(options.AdminPort + i, ushort.MaxValue));

    private readonly List<ServiceProcess> _processes = [];
    private readonly ServiceLines _lines = new(console, folder, options.Verbose);

    public async Task<int> RunAsync(CancellationToken stop, CancellationToken stopNow)
    {
        var exitCode = 0;
        try
        {
            await StartAsync(stop);
            var everybody = Task.WhenAll(_processes.Select(WatchAsync));
            await everybody.WaitAsync(stop);
            console.Error("Every service has ended.");
            exitCode = 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            console.Line();
            console.Line("Stopping …");
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            _lines.Release(write: true);
            console.Error($"Bookinfo did not start: {exception.Message}");
            exitCode = 1;
        }

        _lines.Stopping();
        await StopAsync(stopNow);
        console.Line("Everything is stopped.");
        return exitCode;
    }

    public void Dispose() => _processes.ForEach(process => process.Dispose());

    private async Task StartAsync(CancellationToken stop)
    {
        var controlPlane = Start("control-plane", "control-plane", ["--url", $"http://127.0.0.1:{options.ControlPlanePort}", "--monitoring", $"http://127.0.0.1:{options.MonitoringPort}", "--mesh", folder], []);
        var xds = await ListeningAsync(controlPlane, stop);

        foreach (var ((service, version), adminPort) in Services.Zip(AdminPorts(options)))
        {
            var name = service == "reviews" ? $"{service}-{version}" : service;
            var url = service != "productpage" ? "http://127.0.0.1:0"
                : options.Port == 0 ? "http://127.0.0.1:0" : $"http://localhost:{options.Port}";
            Dictionary<string, string> environment = new() { ["HOSTNAME"] = $"{service}-{version}" };
            if (adminPort > 0)
            {
                environment["Mesh__Admin__Port"] = adminPort.ToString(CultureInfo.InvariantCulture);
            }

            Start(name, service, ["--version", version, "--url", url, "--xds", xds], environment).AdminPort = adminPort;
        }

        foreach (var process in _processes)
        {
            await ListeningAsync(process, stop);
        }

        var page = await _processes.Single(process => process.Name == "productpage").Listening;
        if (await FirstPage.WaitAsync(new Uri(page), time, stop))
        {
            _lines.Release(write: false);
        }
        else
        {
            _lines.Release(write: true);
            console.Error("The page is not complete yet; the lines above and the YAML in the config folder tell why.");
        }

        StartupText.Write(console, _processes, folder, options.MonitoringPort);
    }

    private ServiceProcess Start(string name, string role, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        if (options.Verbose)
        {
            arguments = arguments.Append("--verbose");
        }

        var process = ServiceProcess.Start(name, _processes.Count, arguments.Prepend(role), environment, _lines.Add);
        _processes.Add(process);
        return process;
    }

    private Task<string> ListeningAsync(ServiceProcess process, CancellationToken stop) => process.Listening.WaitAsync(StartDeadline, time, stop);

    /// <summary>A service that ends by itself is told, not restarted: it is a demo of what the mesh does then.</summary>
    private async Task WatchAsync(ServiceProcess process)
    {
        var exitCode = await process.Exited;
        if (!process.IsStopping)
        {
            console.Error($"{process.Name} ended with exit code {exitCode}; the others go on without it.");
        }
    }

    /// <summary>Callers before those they call, the control plane last: nobody is asked for something that is gone.</summary>
    private async Task StopAsync(CancellationToken now)
    {
        string[][] order = [["productpage"], ["reviews-v1", "reviews-v2", "reviews-v3", "details"], ["ratings"], ["control-plane"]];
        foreach (var names in order)
        {
            await Task.WhenAll(_processes
                .Where(process => names.Contains(process.Name))
                .Select(process => process.StopAsync(StopDeadline, time, now)));
        }
    }
}
