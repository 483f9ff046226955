using System.Globalization;

namespace Mesh.Benchmarks;

/// <summary>What signals cost at both ends together: the whole path with none, with metrics, and with metrics, one trace in a hundred and an access log, in interleaved slices.</summary>
internal static class SignalsComparison
{
    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        await using var mesh = await SignalsMesh.StartAsync();
        using var silent = mesh.CallerOf("silent");
        var telling = SignalsMesh.Choices.Skip(1).Where(choice => args.Length <= 2 || args[2..].Contains(choice)).Select(choice => (choice, mesh.CallerOf(choice))).ToList();
        await SocketLoad.WarmUpAsync(slice, [silent, .. telling.Select(t => t.Item2)]);
        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms, {SocketLoad.Callers} callers, 1 KB answers, both ends in the mesh, HTTP/1.1 on loopback; raw is without signals");
        foreach (var (choice, caller) in telling)
        {
            await SocketComparison.CompareAsync(choice, slices, () => SocketLoad.MeasureAsync(silent, slice), () => SocketLoad.MeasureAsync(caller, slice));
            caller.Dispose();
        }

        return 0;
    }
}
