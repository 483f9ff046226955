using System.Globalization;
using Mesh.Client;
using Mesh.Client.Bypass;
using Mesh.DataPlane.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Benchmarks;

/// <summary>
/// A raw HttpClient and one with the mesh, to the same server in the same process, in interleaved slices raw/mesh/raw: the median of the slices'
/// ratios and its quartiles, in throughput and in CPU time a request, so that a noisy machine disturbs both alike.
/// </summary>
internal static class SocketComparison
{
    public static async Task<int> RunAsync(string[] args, bool tls = false)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        using var certificate = tls ? TrustedCertificate.Current : null;
        if (tls && certificate is null)
        {
            return await TrustedCertificate.StartAgainAsync(["https", .. args], "localhost", BenchmarkMesh.Host);
        }

        var (server, ports) = await SocketLoad.StartServerAsync(1, certificate);
        await using var running = server;

        await using var engine = BenchmarkMesh.Create([Resources.Prefix("/", "cluster")], null, ports);
        using var raw = tls ? SocketCaller.RawOverTls(ports[0]) : SocketCaller.Raw(ports);
        using var mesh = tls ? BenchmarkMesh.CallerOverTls(engine) : BenchmarkMesh.Caller(engine);
        await SocketLoad.WarmUpAsync(slice, raw, mesh);

        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, HTTP/1.1 {(tls ? "over TLS " : "")}on loopback");
        await CompareAsync("mesh", slices, () => SocketLoad.MeasureAsync(raw, slice), () => SocketLoad.MeasureAsync(mesh, slice));
        return 0;
    }

    /// <summary>What it costs a raw client that the process is watched for connections beside the mesh.</summary>
    public static async Task<int> RunWatchedAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        var (server, ports) = await SocketLoad.StartServerAsync(1);
        await using var running = server;
        using var kept = SocketCaller.Raw(ports);
        using var made = SocketCaller.Raw(ports);
        made.Client.DefaultRequestHeaders.ConnectionClose = true;
        foreach (var (caller, what) in new[] { (kept, "connections that are kept"), (made, "a connection for each request") })
        {
            await SocketLoad.WarmUpAsync(slice, caller);
            Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, {what}");
            await CompareAsync("watched", slices, () => SocketLoad.MeasureAsync(caller, slice), async () =>
            {
                using var watcher = new BypassWatcher(NullLogger<BypassWatcher>.Instance);
                return await SocketLoad.MeasureAsync(caller, slice);
            });
        }

        return 0;
    }

    /// <summary>Prints medians and quartiles of raw/other/raw.</summary>
    public static async Task CompareAsync(string what, int slices, Func<Task<SocketSlice>> raw, Func<Task<SocketSlice>> other)
    {
        var throughput = new List<double>();
        var cpu = new List<double>();
        var bytes = new List<double>();
        for (var i = 0; i < slices; i++)
        {
            var before = await raw();
            var between = await other();
            var after = await raw();
            throughput.Add(between.PerSecond / ((before.PerSecond + after.PerSecond) / 2));
            cpu.Add(between.CpuMicroseconds / ((before.CpuMicroseconds + after.CpuMicroseconds) / 2));
            bytes.Add(between.Bytes - ((before.Bytes + after.Bytes) / 2));
        }

        SocketLoad.Print($"throughput, {what} ÷ raw", throughput, "0.000");
        SocketLoad.Print($"CPU time a request, {what} ÷ raw", cpu, "0.000");
        SocketLoad.Print($"allocated a request, {what} − raw (bytes)", bytes, "0");
    }
}
