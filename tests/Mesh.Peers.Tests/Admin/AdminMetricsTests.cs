using System.Diagnostics;
using Mesh.Server.Admin;
using Mesh.Server.Tests.Inbound;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Peers.Tests.Admin;

/// <summary>What a live process writes on its admin port, judged by Prometheus' own tool.</summary>
[Trait("Category", "Peers")]
public sealed class AdminMetricsTests
{
    // Names that dashboards ask for are Istio's and Envoy's, whatever the tool thinks of their style.
    private static readonly string[] OthersNames = ["istio_", "envoy_", "pilot_"];

    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [ProgramFact("promtool", "--version")]
    public async Task Promtool_reads_every_line()
    {
        await using var app = await InboundApp.StartAsync(mesh: options => options.Admin.Port = 0);
        app.SetPermissive();
        var registry = app.App.Services.GetRequiredService<MetricRegistry>();
        registry.Counter("lab_requests_total", "Requests of this test.", "path").Cell("/\"hostile\"\n# TYPE x counter").Increment();
        registry.Histogram("lab_duration_seconds", "Durations of this test.", [0.5, 10], "path").Cell("/").Record(1);
        using var caller = MeshCaller.Plain(app.Port);
        (await caller.GetAsync("/who")).EnsureSuccessStatusCode();
        (await caller.GetAsync("/there-is-nothing")).Dispose();
        var admin = app.App.Services.GetServices<IHostedService>().OfType<AdminServer>().Single().EndPoint;
        using var scraper = new HttpClient { Timeout = Guard };

        // A response is there before its server has told of it.
        string text;
        var since = Stopwatch.StartNew();
        do
        {
            since.Elapsed.ShouldBeLessThan(Guard, "no request was counted");
            text = await scraper.GetStringAsync($"http://{admin}/stats/prometheus");
        }
        while (!text.Contains("istio_requests_total{", StringComparison.Ordinal));
        var (exitCode, complaints) = await CheckAsync(text);

        text.ShouldContain("# TYPE ");
        exitCode.ShouldBeOneOf(0, 3);
        complaints.ShouldAllBe(c => OthersNames.Any(n => c.StartsWith(n, StringComparison.Ordinal)));
    }

    [ProgramFact("promtool", "--version")]
    public async Task Promtool_would_have_said_so()
    {
        var (exitCode, complaints) = await CheckAsync("# TYPE a counter\na{b=\"c} 1\n");

        exitCode.ShouldBe(1);
        complaints.ShouldNotBeEmpty();
    }

    private static async Task<(int ExitCode, string[] Complaints)> CheckAsync(string text)
    {
        var start = new ProcessStartInfo("promtool", ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;

        // It is listened to from the beginning: who says more than a pipe holds before it has read all would wait, and so would who writes.
        var (errors, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.StandardInput.WriteAsync(text).WaitAsync(Guard);
        process.StandardInput.Close();
        await Task.WhenAll(process.WaitForExitAsync(), errors, output).WaitAsync(Guard);
        return (process.ExitCode, (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
