using BenchmarkDotNet.Running;
using Mesh.Benchmarks;

// `sockets`, `https`, `mtls`, `security`, `signals`, `watched` and `resilience` compare whole clients over loopback, slice by slice; `memory` weighs a large mesh; everything else is BenchmarkDotNet's.
switch (args)
{
    case ["sockets", .. var rest]:
        return await SocketComparison.RunAsync(rest);
    case ["https", .. var rest]:
        return await SocketComparison.RunAsync(rest, tls: true);
    case ["mtls", .. var rest]:
        return await MutualTlsComparison.RunAsync(rest);
    case ["security", .. var rest]:
        return await SecurityComparison.RunAsync(rest);
    case ["signals", .. var rest]:
        return await SignalsComparison.RunAsync(rest);
    case ["watched", .. var rest]:
        return await SocketComparison.RunWatchedAsync(rest);
    case ["resilience", .. var rest]:
        return await ResilienceComparison.RunAsync(rest);
    case ["memory"]:
        return MemoryFootprint.Run();
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
