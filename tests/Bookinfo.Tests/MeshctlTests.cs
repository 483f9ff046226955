using System.Diagnostics;
using System.Globalization;

namespace Bookinfo.Tests;

/// <summary>meshctl as people run it, on the sample as people run it: nothing but the two addresses that the launcher prints.</summary>
[Collection(WholeSample.Name)]
public class MeshctlTests(SharedBookinfo shared)
{
    /// <summary>Where meshctl is built, in the configuration in which these tests are.</summary>
    private static string Program
    {
        get
        {
            // tests/Bookinfo.Tests/bin/<configuration>/<framework>
            var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            var root = own.Parent!.Parent!.Parent!.Parent!.Parent!;
            return Path.Combine(root.FullName, "src", "Mesh.Cli", "bin", own.Parent.Name, own.Name, "Mesh.Cli.dll");
        }
    }

    [Fact]
    public async Task Every_service_of_the_sample_is_seen_described_and_explained()
    {
        var bookinfo = await shared.AsDeliveredAsync();
        (await bookinfo.LoadAsync()).ShouldBeOneOf("v1", "v2");

        // 1. Who is there, and how far: the three versions of reviews by name.
        var status = await MeshctlAsync(bookinfo, "proxy-status");
        foreach (var service in new[] { "details", "productpage", "ratings", "reviews" })
        {
            status.ShouldContain(line => line.StartsWith($"{service}-", StringComparison.Ordinal), service == "reviews" ? 3 : 1);
        }

        status.Length.ShouldBe(1 + 6, string.Join('\n', status));
        status.ShouldAllBe(line => !line.Contains("NACK", StringComparison.Ordinal));

        // 2. What productpage has.
        (await MeshctlAsync(bookinfo, "proxy-config", "routes", "productpage"))
            .ShouldContain(line => line.StartsWith("outbound|9080||reviews.default.svc.cluster.local", StringComparison.Ordinal) && line.EndsWith(" reviews.default", StringComparison.Ordinal));
        (await MeshctlAsync(bookinfo, "proxy-config", "clusters", "productpage", "--fqdn", "reviews.default.svc.cluster.local"))
            .ShouldContain(line => line.Contains(" v1 ", StringComparison.Ordinal) && line.Contains("EDS", StringComparison.Ordinal));
        (await MeshctlAsync(bookinfo, "proxy-config", "endpoints", "productpage", "--cluster", "outbound|9080|v1|reviews.default.svc.cluster.local"))
            .ShouldContain(line => line.StartsWith("127.0.0.1:", StringComparison.Ordinal) && line.Contains("HEALTHY", StringComparison.Ordinal));

        // 3. Which rules hit it, in words; and why a request would go where it goes, which productpage's own admin answers.
        var described = await MeshctlAsync(bookinfo, "describe", "workload", "reviews-v2");
        described.ShouldContain(line => line.Contains("Matching subsets: v2", StringComparison.Ordinal));
        described.ShouldContain(line => line.Contains("90% reviews subset v1, 10% reviews subset v2", StringComparison.Ordinal));
        (await MeshctlAsync(bookinfo, "explain", "reviews:9080", "--path", "/reviews/0", "--from", "productpage"))
            .ShouldContain(line => line.Contains("outbound|9080|v1|reviews.default.svc.cluster.local", StringComparison.Ordinal) || line.Contains("outbound|9080|v2|reviews.default.svc.cluster.local", StringComparison.Ordinal));

        // 4. The documents are in order.
        (await MeshctlAsync(bookinfo, "analyze")).ShouldContain(line => line.Contains("No validation issues", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_launcher_names_the_admin_of_each_service()
    {
        var bookinfo = await shared.AsDeliveredAsync();

        var ports = bookinfo.AdminPorts();

        ports.Count.ShouldBe(6, string.Join('\n', bookinfo.Launcher.Lines));
        using var client = new HttpClient { Timeout = Guard.Hang };
        foreach (var port in ports)
        {
            (await client.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/ready")))).ShouldContain("LIVE");
        }
    }

    private static async Task<string[]> MeshctlAsync(LaunchedBookinfo bookinfo, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Program);
        foreach (var argument in arguments.Append("--control-plane").Append(bookinfo.ControlPlane))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync().WaitAsync(Guard.Hang);
        await process.WaitForExitAsync().WaitAsync(Guard.Hang);
        process.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}:\n{error}\n{await output}");
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
