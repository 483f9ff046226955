using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Bookinfo.Launcher;

namespace Bookinfo.Tests;

/// <summary>The whole sample as processes on free ports, with a folder of YAML of its own.</summary>
internal sealed partial class LaunchedBookinfo : IAsyncDisposable
{
    // Each try is a request, so a machine that is slow is waited for; thousands of them that took their time are a change that never came.
    private const int MaxLoads = 5000;

    private static readonly string Source = Bookinfo.Launcher.MeshFolder.Find(null, [AppContext.BaseDirectory]);

    private const int Services = 6;

    /// <summary>Another for each process that tests run in.</summary>
    private static readonly int FirstPort = 20_000 + (Environment.ProcessId * 37 % 10_000);

    private static int _launches;

    private readonly HttpClient _client;
    private int _loads;

    private LaunchedBookinfo(BookinfoProcess launcher, string folder, Uri page, int firstPort)
    {
        ControlPlane = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{firstPort + Services}");
        Launcher = launcher;
        MeshFolder = folder;
        Page = page;
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = page, Timeout = Guard.Hang };
    }

    public BookinfoProcess Launcher { get; }

    public string MeshFolder { get; }

    /// <summary>Where the control plane tells what it knows.</summary>
    public string ControlPlane { get; }

    /// <summary>Where the product page listens.</summary>
    public Uri Page { get; }

    /// <summary>Pages loaded, and every one of them whole.</summary>
    public int Loads => _loads;

    public static async Task<LaunchedBookinfo> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("bookinfo-mesh-").FullName;
        foreach (var file in Directory.EnumerateFiles(Source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var firstPort = FreePorts();
        var launcher = BookinfoProcess.Start(
        [
            "--port", "0", "--control-plane-port", "0", "--mesh", folder,
            "--admin-port", firstPort.ToString(CultureInfo.InvariantCulture), "--monitoring-port", (firstPort + Services).ToString(CultureInfo.InvariantCulture),
        ]);
        try
        {
            var open = await launcher.LineAsync("    open ");
            await launcher.LineAsync("Ctrl-C stops everything.");
            var bookinfo = new LaunchedBookinfo(launcher, folder, new Uri(open[open.IndexOf("http", StringComparison.Ordinal)..]), firstPort);

            // The launcher tells people after a while that the page is not whole yet; a machine that is slow is waited for.
            await bookinfo.WhenWholeAsync();
            return bookinfo;
        }
        catch
        {
            await launcher.DisposeAsync();
            throw;
        }
    }

    private async Task WhenWholeAsync()
    {
        var since = Stopwatch.StartNew();
        for (var load = 0; !await IsWholeAsync(cookie: null); load++)
        {
            MayStillCome(load, since).ShouldBeTrue(string.Join('\n', Launcher.Lines));
        }
    }

    private static bool MayStillCome(int load, Stopwatch since) => load < MaxLoads || since.Elapsed < Guard.Hang;

    private async Task<bool> IsWholeAsync(string? cookie)
    {
        using var request = PageRequest(cookie);
        using var response = await _client.SendAsync(request);
        return response.IsSuccessStatusCode && IsWhole(await response.Content.ReadAsStringAsync());
    }

    private static HttpRequestMessage PageRequest(string? cookie)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/productpage");
        if (cookie is not null)
        {
            request.Headers.TryAddWithoutValidation("cookie", cookie);
        }

        return request;
    }

    private static bool IsWhole(string html) => !html.Contains("Error fetching", StringComparison.Ordinal) && !html.Contains("currently unavailable", StringComparison.Ordinal);

    /// <summary>The processes that the launcher says it has started.</summary>
    public IReadOnlyList<int> ServiceIds()
        => [.. Launcher.Lines.Select(line => ProcessId().Match(line)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    /// <summary>The ports at which the launcher says that services show what they believe.</summary>
    public IReadOnlyList<int> AdminPorts()
        => [.. Launcher.Lines.Select(line => Admin().Match(line)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    public int ServiceId(string name)
        => Launcher.Lines.Where(line => line.TrimStart().StartsWith(name + " ", StringComparison.Ordinal))
            .Select(line => ProcessId().Match(line)).First(match => match.Success).Groups[1].Value is var id ? int.Parse(id, CultureInfo.InvariantCulture) : 0;

    /// <summary>Saves one of the examples over the active rules, as a person with <c>cp</c> does.</summary>
    public void Activate(string example)
        => File.Copy(Path.Combine(Source, "..", "mesh-examples", example), Path.Combine(MeshFolder, "virtual-service-reviews.yaml"), overwrite: true);

    /// <summary>
    /// Puts the rules back that are delivered; completes when they are in force, whatever was before. Versions alone do not show that, for with no rules
    /// at all pages come from any of them: so the rules come with one that fails for a reader whom nobody else is, and then without it.
    /// </summary>
    public async Task DeliverAsync()
    {
        var delivered = await File.ReadAllTextAsync(Path.Combine(Source, "virtual-service-reviews.yaml"));
        var cookie = await SignInAsync("nobody-else");
        await SaveAsync(delivered.Replace("  http:\n", """
              http:
              - match: [{headers: {end-user: {exact: nobody-else} } }]
                fault: {abort: {httpStatus: 418, percentage: {value: 100} } }
                route: [{destination: {host: reviews, subset: v1} }]

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal));
        await UntilAsync(whole: false);
        await SaveAsync(delivered);
        await UntilAsync(whole: true);

        // Never half of it.
        async Task SaveAsync(string text)
        {
            var beside = Path.Combine(MeshFolder, "rules.saving");
            await File.WriteAllTextAsync(beside, text);
            File.Move(beside, Path.Combine(MeshFolder, "virtual-service-reviews.yaml"), overwrite: true);
        }

        async Task UntilAsync(bool whole)
        {
            var since = Stopwatch.StartNew();
            for (var load = 0; await IsWholeAsync(cookie) != whole; load++)
            {
                MayStillCome(load, since).ShouldBeTrue(string.Join('\n', Launcher.Lines));
            }
        }
    }

    public Task WriteAsync(string text) => File.WriteAllTextAsync(Path.Combine(MeshFolder, "virtual-service-reviews.yaml"), text);

    public Task<string> ReadAsync() => File.ReadAllTextAsync(Path.Combine(MeshFolder, "virtual-service-reviews.yaml"));

    /// <summary>Loads the page and says which version of reviews it shows; a page that is not whole fails the test.</summary>
    public async Task<string> LoadAsync(string? cookie = null)
    {
        using var request = PageRequest(cookie);
        using var response = await _client.SendAsync(request);
        var html = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(200);
        if (!IsWhole(html))
        {
            Assert.Fail($"Page {Loads + 1} is not whole:\n{html}\n{string.Join('\n', Launcher.Lines)}");
        }

        Interlocked.Increment(ref _loads);
        var version = PodName().Match(html).Groups[1].Value;
        html.Contains("text-black-500", StringComparison.Ordinal).ShouldBe(version == "v2");
        html.Contains("text-red-500", StringComparison.Ordinal).ShouldBe(version == "v3");
        return version;
    }

    /// <summary>Loads pages until one shows <paramref name="version"/>.</summary>
    public async Task UntilAsync(string version, string? cookie = null)
    {
        var since = Stopwatch.StartNew();
        for (var load = 0; MayStillCome(load, since); load++)
        {
            if (await LoadAsync(cookie) == version)
            {
                return;
            }
        }

        Assert.Fail($"{MaxLoads} pages and more, and none with reviews {version}:\n{string.Join('\n', Launcher.Lines)}");
    }

    /// <summary>The same by several people at once, so that some page is always on its way when the rules change.</summary>
    public Task UntilAllAsync(string version, int people) => Task.WhenAll(Enumerable.Range(0, people).Select(_ => UntilAsync(version)));

    public async Task<Dictionary<string, int>> CountAsync(int loads, string? cookie = null)
    {
        var counts = new Dictionary<string, int> { ["v1"] = 0, ["v2"] = 0, ["v3"] = 0 };
        for (var load = 0; load < loads; load++)
        {
            counts[await LoadAsync(cookie)]++;
        }

        return counts;
    }

    public async Task<string> SignInAsync(string user)
    {
        using var form = new FormUrlEncodedContent([new("username", user), new("passwd", "")]);
        using var response = await _client.PostAsync("/login", form);
        return response.Headers.GetValues("set-cookie").Single().Split(';')[0];
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Launcher.DisposeAsync();
        Directory.Delete(MeshFolder, recursive: true);
    }

    // Below the ports that the system hands out of its own accord; a launch that is at its end may still have some.
    private static int FreePorts()
    {
        var first = FirstPort + Interlocked.Add(ref _launches, Services + 1);
        return Enumerable.Range(first, Services + 1).All(port => PortCheck.Problem(port, "a test", "--port", 0) is null) ? first : FreePorts();
    }

    [GeneratedRegex("admin http://127.0.0.1:([0-9]+)")]
    private static partial Regex Admin();

    [GeneratedRegex("process ([0-9]+)")]
    private static partial Regex ProcessId();

    [GeneratedRegex("Reviews served by: <span class=\"pod\">reviews-(v[0-9])</span>")]
    private static partial Regex PodName();
}
