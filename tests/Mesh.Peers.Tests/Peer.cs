using System.Collections.Concurrent;
using System.Diagnostics;

namespace Mesh.Peers.Tests;

/// <summary>A gRPC implementation that nobody here wrote.</summary>
internal sealed class Peer
{
    /// <summary>gRPC's C-core, by Debian's python3-grpcio, which is for the system's own Python.</summary>
    public static readonly Peer Python = new("C-core", "/usr/bin/python3", ".py", () => Succeeds("/usr/bin/python3", "-c", "import grpc")
        ? null
        : "gRPC's C-core is not installed: apt-get install python3-grpcio");

    /// <summary>grpc-js with xDS, by npm.</summary>
    public static readonly Peer Node = new("grpc-js", "node", ".js", () => !Succeeds("node", "--version") ? "node is not installed"
        : !Directory.Exists(System.IO.Path.Combine(PeerFolder.Path, "node_modules")) ? $"grpc-js is not installed: npm ci in {PeerFolder.Path}"
        : null);

    private static readonly ConcurrentDictionary<string, Lazy<bool>> Probes = new();

    private readonly Lazy<string?> _missing;
    private readonly string _program;
    private readonly string _extension;

    private Peer(string name, string program, string extension, Func<string?> probe)
    {
        Name = name;
        _program = program;
        _extension = extension;
        _missing = new Lazy<string?>(probe);
    }

    public string Name { get; }

    /// <summary>Why the peer cannot run here, or <see langword="null"/>.</summary>
    public string? Missing => _missing.Value;

    public static Peer Named(string name) => name == Python.Name ? Python : Node;

    public PeerProcess Run(string script, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(_program)
        {
            WorkingDirectory = PeerFolder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments.Prepend(script + _extension))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new PeerProcess(Process.Start(start)!);
    }

    /// <summary>Whether a program is here and ends well; asked once, though every test of it asks.</summary>
    public static bool Succeeds(string program, params string[] arguments)
        => Probes.GetOrAdd($"{program} {string.Join(' ', arguments)}", _ => new Lazy<bool>(() => Probe(program, arguments))).Value;

    private static bool Probe(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
            return process!.WaitForExit(TimeSpan.FromSeconds(30)) && process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
