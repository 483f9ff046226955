using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Mesh.Benchmarks;

/// <summary>What the comparisons over sockets have in common: the server, the callers, and what is counted.</summary>
internal static class SocketLoad
{
    public const int Callers = 16;

    /// <summary>A server in this process that answers 1 KB on several ports.</summary>
    public static Task<(WebApplication Server, int[] Ports)> StartServerAsync(int ports, X509Certificate2? certificate = null)
        => StartServerAsync(ports, certificate is null ? null : https => https.ServerCertificate = certificate);

    /// <summary>The same over TLS, as it is told.</summary>
    public static async Task<(WebApplication Server, int[] Ports)> StartServerAsync(int ports, Action<HttpsConnectionAdapterOptions>? https)
    {
        var payload = new byte[1024];
        Array.Fill(payload, (byte)' ');
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            for (var i = 0; i < ports; i++)
            {
                k.Listen(IPAddress.Loopback, 0, l =>
                {
                    l.Protocols = HttpProtocols.Http1;
                    if (https is not null)
                    {
                        l.UseHttps(https);
                    }
                });
            }
        });
        var server = builder.Build();
        server.Run(context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = payload.Length;
            return context.Response.Body.WriteAsync(payload).AsTask();
        });
        await server.StartAsync();
        return (server, [.. server.Urls.Select(u => new Uri(u).Port)]);
    }

    /// <summary>Runs the clients in turn until the compiler has nothing left to make better: what is measured is not its work.</summary>
    public static async Task WarmUpAsync(TimeSpan slice, params SocketCaller[] callers)
    {
        var compiled = -1L;
        for (var quiet = 0; quiet < 3;)
        {
            foreach (var caller in callers)
            {
                await MeasureAsync(caller, slice);
            }

            var now = JitInfo.GetCompiledMethodCount();
            quiet = now - compiled <= 2 ? quiet + 1 : 0;
            compiled = now;
        }
    }

    public static void Print(string what, List<double> values, string format)
    {
        values.Sort();
        string At(double share) => values[(int)(share * (values.Count - 1))].ToString(format, CultureInfo.InvariantCulture);
        Console.WriteLine($"{what}: median {At(0.5)}, quartiles {At(0.25)} to {At(0.75)}");
    }

    public static async Task<SocketSlice> MeasureAsync(SocketCaller caller, TimeSpan duration)
    {
        using var process = Process.GetCurrentProcess();
        var count = 0L;
        var cpu = process.TotalProcessorTime;
        var allocated = GC.GetTotalAllocatedBytes();
        var contentions = Monitor.LockContentionCount;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(first => Task.Run(async () =>
        {
            var buffer = new byte[4096];
            var next = first;
            while (Stopwatch.GetElapsedTime(start) < duration)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, caller.Targets[next++ % caller.Targets.Length]);
                request.Headers.TryAddWithoutValidation(caller.Header, "5f1c");
                using var response = await caller.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
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
        return new SocketSlice(
            count,
            count / elapsed.TotalSeconds,
            (process.TotalProcessorTime - cpu).TotalMicroseconds / count,
            (GC.GetTotalAllocatedBytes() - allocated) / (double)count,
            Monitor.LockContentionCount - contentions);
    }
}
