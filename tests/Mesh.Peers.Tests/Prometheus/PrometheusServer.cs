using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mesh.TestNet;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>
/// Debian's Prometheus, collecting from processes of the mesh. It goes by the clock on the wall, so that what is waited for is always an answer of
/// its own, never a while.
/// </summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    public const string Program = "prometheus";

    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _folder;
    private readonly Process _process;
    private readonly int _targets;
    private readonly HttpClient _client;
    private readonly ConcurrentQueue<string> _log = new();

    private PrometheusServer(DirectoryInfo folder, Process process, int port, int targets)
    {
        (_folder, _process, _targets) = (folder, process, targets);
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/"), Timeout = Guard };
        _process.OutputDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts one on a port of its own, with its data in a folder of its own, and waits until it has collected from everybody.</summary>
    public static async Task<PrometheusServer> StartAsync(params PrometheusTarget[] targets)
    {
        var folder = Directory.CreateTempSubdirectory("mesh-prometheus");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "prometheus.yml"), Config(targets));
        var port = FreePort.Next();
        var start = new ProcessStartInfo(
            Program,
            [
                "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.console.templates=none", "--web.console.libraries=none",
                string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
            ])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new PrometheusServer(folder, Process.Start(start)!, port, targets.Length);
        try
        {
            await server.UntilAsync(async () => (await server.TryGetAsync("-/ready")) is not null, "it is ready");
            await server.UntilAsync(
                async () => (await server.QueryAsync("up")).Count(sample => sample.Value == 1) == targets.Length,
                "every target has been collected from");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The rows that an expression has at this moment.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> QueryAsync(string expression)
    {
        using var content = new FormUrlEncodedContent([new("query", expression)]);
        using var response = await _client.PostAsync(new Uri("api/v1/query", UriKind.Relative), content);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{expression}: {json.RootElement.GetProperty("error").GetString()}");
        }

        var data = json.RootElement.GetProperty("data");
        return data.GetProperty("resultType").GetString() == "vector"
            ? [.. data.GetProperty("result").EnumerateArray().Select(row => new PrometheusSample(
                row.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal),
                Number(row.GetProperty("value"))))]
            : [new PrometheusSample(new Dictionary<string, string>(), Number(data.GetProperty("result")))];
    }

    /// <summary>The rows of an expression as soon as they are as they are expected.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> QueryAsync(string expression, Func<IReadOnlyList<PrometheusSample>, bool> expected)
    {
        IReadOnlyList<PrometheusSample> rows = [];
        await UntilAsync(
            async () => expected(rows = await QueryAsync(expression)),
            () => $"{expression} is as expected, and not\n{string.Join('\n', rows)}\n");
        return rows;
    }

    /// <summary>Completes when everybody has been collected from once more, so that all which has happened until now is in.</summary>
    public async Task CollectAsync()
    {
        // By the time that stands beside what was collected, which is when that began: one that is under way may have read before, and the list of targets
        // tells of one before what it has brought is in.
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        await QueryAsync("timestamp(up) * up", rows => rows.Count == _targets && rows.All(row => row.Value > now));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static double Number(JsonElement value) => double.Parse(value[1].GetString()!, CultureInfo.InvariantCulture);

    // Who has not answered by the next time is not there: a busy machine needs a part of a second.
    private static string Config(PrometheusTarget[] targets)
        => "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n" + string.Concat(targets.GroupBy(target => (target.Job, target.Path)).Select((job, i) => $"""
            - job_name: "{job.Key.Job}"
              metrics_path: "{job.Key.Path}"
              static_configs: [{"{"}targets: [{string.Join(", ", job.Select(target => $"\"{target.Address}\""))}]{"}"}]

            """));

    private async Task<string?> TryGetAsync(string path)
    {
        try
        {
            using var response = await _client.GetAsync(new Uri(path, UriKind.Relative));
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private Task UntilAsync(Func<Task<bool>> condition, string what) => UntilAsync(condition, () => what);

    private async Task UntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(began) > Guard)
            {
                throw new InvalidOperationException($"It never came to pass that {what()}:\n{string.Join('\n', _log.TakeLast(20))}");
            }

            await Task.Delay(Pause);
        }
    }
}
