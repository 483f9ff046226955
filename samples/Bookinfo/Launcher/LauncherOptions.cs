using System.Globalization;

namespace Bookinfo.Launcher;

/// <summary>What the launcher is told.</summary>
internal sealed record LauncherOptions
{
    public const string Usage = """
        Bookinfo on the mesh: control plane, productpage, details, reviews v1 v2 v3 and ratings, each its own process.

          dotnet run --project samples/Bookinfo -- [options]

          --port <port>                 productpage (default 9080; 0 = any free port)
          --control-plane-port <port>   control plane (default 15010; 0 = any free port)
          --admin-port <port>           first of the six ports on which the services show what they believe (default 15020; 0 = none)
          --monitoring-port <port>      what meshctl, browsers and Prometheus read of it (default: four above the control plane's)
          --mesh <folder>               the YAML to run with (default: samples/Bookinfo/mesh)
          --verbose                     every log line of every service
          --help                        this text
        """;

    public int Port { get; init; } = 9080;

    public int ControlPlanePort { get; init; } = 15010;

    /// <summary>The first of the ports of the mesh's admin, one for each service in the order in which they start; 0 for none.</summary>
    public int AdminPort { get; init; } = 15020;

    /// <summary>Where the control plane shows what it knows: as with Istio, 15014 beside 15010.</summary>
    public int MonitoringPort
    {
        get => field >= 0 ? field : ControlPlanePort is 0 or > 65531 ? 0 : ControlPlanePort + 4;
        init;
    } = -1;

    public string? MeshFolder { get; init; }

    public bool Verbose { get; init; }

    public bool Help { get; init; }

    /// <exception cref="ArgumentException">Something in <paramref name="args"/> is unknown or lacks a good value.</exception>
    public static LauncherOptions Parse(IReadOnlyList<string> args)
    {
        var options = new LauncherOptions();
        for (var index = 0; index < args.Count; index++)
        {
            var name = args[index];
            string Value() => ++index < args.Count ? args[index] : throw new ArgumentException($"{name} needs a value; --help shows the options.");

            int Port() => Value() is var text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535
                ? port
                : throw new ArgumentException($"{name} is '{text}'; give a port from 1 to 65535, or 0 for any free one.");

            options = name switch
            {
                "--port" => options with { Port = Port() },
                "--control-plane-port" => options with { ControlPlanePort = Port() },
                "--admin-port" => options with { AdminPort = Port() },
                "--monitoring-port" => options with { MonitoringPort = Port() },
                "--mesh" => options with { MeshFolder = Value() },
                "--verbose" => options with { Verbose = true },
                "--help" or "-h" => options with { Help = true },
                _ => throw new ArgumentException($"'{name}' is no option; --help shows them."),
            };
        }

        return options;
    }
}
