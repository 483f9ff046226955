using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests;

/// <summary>Weights of subsets over real sockets.</summary>
public sealed class WeightTests
{
    private const int Requests = 10_000;

    public static TheoryData<string, int[]> Splits => new() { { "http", [90, 10] }, { "grpc", [90, 10] }, { "http", [15, 25, 60] } };

    [Theory]
    [MemberData(nameof(Splits))]
    public async Task Ten_thousand_requests_follow_the_weights_within_one_and_a_half_points(string port, int[] weights)
    {
        await using var lab = new MeshLab();
        var caller = await StartAsync(lab, port, weights, new SeededRandomSource(20_261_121));

        var counts = await CountAsync(caller, weights.Length, Requests);

        for (var i = 0; i < weights.Length; i++)
        {
            (100.0 * counts[i] / Requests).ShouldBe(weights[i], 1.5, lab.Log.ToString());
        }
    }

    [Fact]
    public async Task With_evenly_spread_draws_the_weights_are_met_exactly()
    {
        await using var lab = new MeshLab();
        var even = new EvenRandomSource(Requests);
        var caller = await StartAsync(lab, "http", [15, 25, 60], even);
        await CountAsync(caller, 3, requests: 1);
        even.Begin();

        var counts = await CountAsync(caller, 3, Requests);

        counts.ShouldBe([1500, 2500, 6000]);
    }

    private static async Task<Caller> StartAsync(MeshLab lab, string port, int[] weights, IRandomSource random)
    {
        var versions = weights.Select((_, i) => $"v{i + 1}").ToArray();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", port, versions));
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", [.. versions.Zip(weights)]));
        await lab.StartControlPlaneAsync();
        foreach (var version in versions)
        {
            await lab.StartWorkloadAsync("echo", version, port == "http" ? Protocol.Http : Protocol.Grpc);
        }

        await lab.WhenRegisteredAsync("echo", versions.Length);
        return await lab.StartCallerAsync(services: services => services.AddSingleton(random));
    }

    private static async Task<int[]> CountAsync(Caller caller, int versions, int requests)
    {
        var counts = new int[versions];
        var left = requests;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var response = await caller.Client.GetAsync("http://echo/");
                response.EnsureSuccessStatusCode();
                var version = response.Headers.GetValues(Workload.VersionHeader).Single();
                Interlocked.Increment(ref counts[version[1] - '1']);
            }
        }))).OrHang();
        counts.Sum().ShouldBe(requests);
        return counts;
    }
}
