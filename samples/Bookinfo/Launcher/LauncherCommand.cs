using System.Runtime.InteropServices;

namespace Bookinfo.Launcher;

/// <summary>The command line of the launcher: checks first, then everything is started, then it waits for Ctrl-C.</summary>
internal static class LauncherCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        var console = LauncherConsole.ForTerminal();
        LauncherOptions options;
        string folder;
        try
        {
            options = LauncherOptions.Parse(args);
            if (options.Help)
            {
                console.Line(LauncherOptions.Usage);
                return 0;
            }

            folder = MeshFolder.Find(options.MeshFolder, [AppContext.BaseDirectory, Directory.GetCurrentDirectory()]);
        }
        catch (ArgumentException exception)
        {
            console.Error(exception.Message);
            return 1;
        }

        var problem = PortCheck.Problem(options.Port, "productpage", "--port", 9081)
            ?? PortCheck.Problem(options.ControlPlanePort, "the control plane", "--control-plane-port", 15011)
            ?? Launch.AdminPorts(options).Select(port => PortCheck.Problem(port, "the admin of a service", "--admin-port", 15120)).FirstOrDefault(found => found is not null)
            ?? PortCheck.Problem(options.MonitoringPort, "the control plane's monitoring", "--monitoring-port", 15015)
            ?? (options.Port == options.ControlPlanePort && options.Port != 0
                ? $"productpage and the control plane cannot share port {options.Port}: change --port or --control-plane-port." : null);
        if (problem is not null)
        {
            console.Error(problem);
            return 1;
        }

        using var stop = new CancellationTokenSource();
        using var stopNow = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            // The second Ctrl-C does not wait for anybody.
            (stop.IsCancellationRequested ? stopNow : stop).Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        using var launch = new Launch(options, folder, console, TimeProvider.System);
        return await launch.RunAsync(stop.Token, stopNow.Token);
    }
}
