using BenchmarkDotNet.Running;
using Mesh.Benchmarks;

// `sockets` compares whole clients over loopback, slice by slice; everything else is BenchmarkDotNet's.
if (args is ["sockets", .. var rest])
{
    return await SocketComparison.RunAsync(rest);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
