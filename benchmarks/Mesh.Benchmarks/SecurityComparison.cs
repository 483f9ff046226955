using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Benchmarks;

/// <summary>
/// Both ends of the mesh against both ends by hand: HTTPS with client certificates as one configures it, the mesh's mutual TLS, and beside that a token
/// and a hundred policies, in interleaved slices. Both clients are the factory's, which puts its logging around them. A third argument chooses one of the
/// comparisons: <c>kept</c>, <c>handshakes</c>, <c>tokens</c>.
/// </summary>
internal static class SecurityComparison
{
    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        var only = args.Length > 2 ? args[2] : null;
        using var authority = new WorkloadAuthority();
        using var certificate = authority.Issue("reviews");
        var (server, ports) = await SocketLoad.StartServerAsync(1, https => MutualTlsComparison.Configure(https, authority, certificate));
        await using var running = server;
        await using var mesh = await SecuredMesh.StartAsync();
        foreach (var (name, closes) in new[] { ("kept", false), ("handshakes", true) })
        {
            if (only is not null && only != name)
            {
                continue;
            }

            await using var factory = Factory(authority);
            using var byHand = new SocketCaller(factory.GetRequiredService<IHttpClientFactory>().CreateClient("by hand"), $"https://localhost:{ports[0]}{SocketCaller.Path}");
            using var plain = mesh.CallerOf("plain");
            byHand.Client.DefaultRequestHeaders.ConnectionClose = plain.Client.DefaultRequestHeaders.ConnectionClose = closes;
            await SocketLoad.WarmUpAsync(slice, byHand, plain);
            Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, both ends by hand and in the mesh, {(closes ? "a handshake for each request" : "connections that are kept")}");
            await SocketComparison.CompareAsync("mesh", slices, () => SocketLoad.MeasureAsync(byHand, slice), () => SocketLoad.MeasureAsync(plain, slice));
        }

        if (only is not null and not "tokens")
        {
            return 0;
        }

        using var open = mesh.CallerOf("plain");
        using var guarded = mesh.CallerOf("guarded");
        await SocketLoad.WarmUpAsync(slice, open, guarded);
        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, mutual TLS without policies (raw) and with a token and a hundred of them");
        await SocketComparison.CompareAsync("guarded", slices, () => SocketLoad.MeasureAsync(open, slice), () => SocketLoad.MeasureAsync(guarded, slice));
        return 0;
    }

    private static ServiceProvider Factory(WorkloadAuthority authority)
    {
        var services = new ServiceCollection();
        services.AddHttpClient("by hand").ConfigurePrimaryHttpMessageHandler(() => MutualTlsComparison.HandlerByHand(authority, resumes: true));
        return services.BuildServiceProvider();
    }
}
