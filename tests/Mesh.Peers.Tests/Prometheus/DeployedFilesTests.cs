using System.Diagnostics;
using Mesh.EndToEnd.Tests.Dashboards;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>The files of <c>deploy/prometheus</c>, as Prometheus' own tool sees them.</summary>
[Trait("Category", "Peers")]
public sealed class DeployedFilesTests
{
    private const string Tool = "promtool";

    private static string Folder => Path.Combine(DeployFolder.Path, "prometheus");

    [ProgramTheory(Tool, "--version")]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")]
    [InlineData("test", "rules", "alerts_test.yml")]
    public async Task Promtool_has_nothing_to_say_against_it(params string[] arguments)
    {
        var (status, output) = await RunAsync(arguments);

        output.ShouldNotContain("WARNING");
        status.ShouldBe(0, output);
    }

    [ProgramFact(Tool, "--version")]
    public async Task Every_alert_has_a_test()
    {
        var alerts = await NamesAsync("alerts.yml", "- alert: ");
        var tested = await NamesAsync("alerts_test.yml", "alertname: ");

        alerts.Length.ShouldBeGreaterThan(15);
        alerts.Except(tested).ShouldBeEmpty();
    }

    private static async Task<string[]> NamesAsync(string file, string before)
        => [.. (await File.ReadAllLinesAsync(Path.Combine(Folder, file))).Select(line => line.Trim()).Where(line => line.StartsWith(before, StringComparison.Ordinal)).Select(line => line[before.Length..]).Distinct()];

    private static async Task<(int Status, string Output)> RunAsync(string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Tool, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var guard = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(guard.Token), process.StandardError.ReadToEndAsync(guard.Token));
        await process.WaitForExitAsync(guard.Token);
        return (process.ExitCode, string.Concat(output));
    }
}
