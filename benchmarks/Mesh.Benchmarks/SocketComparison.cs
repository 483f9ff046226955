using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Client;
using Mesh.DataPlane.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Benchmarks;

/// <summary>
/// A raw HttpClient and one with the mesh, to the same server in the same process, in interleaved slices raw/mesh/raw: the median of the slices'
/// ratios and its quartiles, in throughput and in CPU time a request, so that a noisy machine disturbs both alike.
/// </summary>
internal static class SocketComparison
{
    private const int Callers = 16;

    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        var payload = new byte[1024];
        Array.Fill(payload, (byte)' ');

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http1));
        await using var server = builder.Build();
        server.Run(context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = payload.Length;
            return context.Response.Body.WriteAsync(payload).AsTask();
        });
        await server.StartAsync();
        var port = new Uri(server.Urls.First()).Port;

        await using var engine = BenchmarkMesh.Create([Resources.Prefix("/", "cluster")], null, port);
        using var raw = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        var primary = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        using var mesh = new HttpClient(new MeshHandler(engine, OutboundTrafficMode.AllowAny, PrimaryFeatures.TakeOver(primary)) { InnerHandler = primary })
        {
            BaseAddress = new Uri($"http://{BenchmarkMesh.Host}:{BenchmarkMesh.Port}"),
        };

        for (var i = 0; i < 4; i++)
        {
            await MeasureAsync(raw, slice);
            await MeasureAsync(mesh, slice);
        }

        var throughput = new List<double>();
        var cpu = new List<double>();
        var bytes = new List<double>();
        for (var i = 0; i < slices; i++)
        {
            var before = await MeasureAsync(raw, slice);
            var between = await MeasureAsync(mesh, slice);
            var after = await MeasureAsync(raw, slice);
            throughput.Add(between.PerSecond / ((before.PerSecond + after.PerSecond) / 2));
            cpu.Add(between.CpuMicroseconds / ((before.CpuMicroseconds + after.CpuMicroseconds) / 2));
            bytes.Add(between.Bytes - ((before.Bytes + after.Bytes) / 2));
        }

        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {Callers} callers, 1 KB answers, HTTP/1.1 on loopback");
        Print("throughput, mesh ÷ raw", throughput, "0.000");
        Print("CPU time a request, mesh ÷ raw", cpu, "0.000");
        Print("allocated a request, mesh − raw (bytes)", bytes, "0");
        return 0;
    }

    private static void Print(string what, List<double> values, string format)
    {
        values.Sort();
        string At(double share) => values[(int)(share * (values.Count - 1))].ToString(format, CultureInfo.InvariantCulture);
        Console.WriteLine($"{what}: median {At(0.5)}, quartiles {At(0.25)} to {At(0.75)}");
    }

    private static async Task<(double PerSecond, double CpuMicroseconds, double Bytes)> MeasureAsync(HttpClient client, TimeSpan duration)
    {
        using var process = Process.GetCurrentProcess();
        var count = 0L;
        var cpu = process.TotalProcessorTime;
        var allocated = GC.GetTotalAllocatedBytes();
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            var buffer = new byte[4096];
            while (Stopwatch.GetElapsedTime(start) < duration)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/products");
                request.Headers.TryAddWithoutValidation("x-request-id", "5f1c");
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                response.EnsureSuccessStatusCode();
                await using var body = await response.Content.ReadAsStreamAsync();
                while (await body.ReadAsync(buffer) > 0)
                {
                }

                Interlocked.Increment(ref count);
            }
        })));

        var elapsed = Stopwatch.GetElapsedTime(start);
        process.Refresh();
        return (count / elapsed.TotalSeconds, (process.TotalProcessorTime - cpu).TotalMicroseconds / count, (GC.GetTotalAllocatedBytes() - allocated) / (double)count);
    }
}
