using System.Globalization;

namespace Mesh.Benchmarks;

/// <summary>
/// Both ends of the mesh against both ends by hand: HTTPS with client certificates as one configures it, the mesh's mutual TLS, and beside that a token
/// and a hundred policies, in interleaved slices.
/// </summary>
internal static class SecurityComparison
{
    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        using var authority = new WorkloadAuthority();
        using var certificate = authority.Issue("reviews");
        var (server, ports) = await SocketLoad.StartServerAsync(1, https => MutualTlsComparison.Configure(https, authority, certificate));
        await using var running = server;
        await using var mesh = await SecuredMesh.StartAsync();
        foreach (var closes in new[] { false, true })
        {
            using var byHand = MutualTlsComparison.ByHand(authority, ports[0], resumes: true);
            using var plain = mesh.CallerOf("plain");
            byHand.Client.DefaultRequestHeaders.ConnectionClose = plain.Client.DefaultRequestHeaders.ConnectionClose = closes;
            await SocketLoad.WarmUpAsync(slice, byHand, plain);
            Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, both ends by hand and in the mesh, {(closes ? "a handshake for each request" : "connections that are kept")}");
            await SocketComparison.CompareAsync("mesh", slices, () => SocketLoad.MeasureAsync(byHand, slice), () => SocketLoad.MeasureAsync(plain, slice));
        }

        using var open = mesh.CallerOf("plain");
        using var guarded = mesh.CallerOf("guarded");
        await SocketLoad.WarmUpAsync(slice, open, guarded);
        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, mutual TLS without policies (raw) and with a token and a hundred of them");
        await SocketComparison.CompareAsync("guarded", slices, () => SocketLoad.MeasureAsync(open, slice), () => SocketLoad.MeasureAsync(guarded, slice));
        return 0;
    }
}
