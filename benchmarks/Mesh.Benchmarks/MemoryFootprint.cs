using System.Globalization;
using Mesh.DataPlane.Tests;

namespace Mesh.Benchmarks;

/// <summary>What ten thousand clusters weigh with one endpoint each, and with ten: the difference is what an endpoint weighs that nobody has called yet.</summary>
internal static class MemoryFootprint
{
    public static int Run()
    {
        var few = Weigh(1);
        var many = Weigh(LargeMesh.EndpointsEach);
        var endpoints = LargeMesh.Clusters * (LargeMesh.EndpointsEach - 1);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{LargeMesh.Clusters:N0} hosts with routes, cluster and 1 endpoint: {few / 1e6:0.0} MB, {few / (double)LargeMesh.Clusters:0} bytes each; with {LargeMesh.EndpointsEach}: {many / 1e6:0.0} MB; {(many - few) / (double)endpoints:0} bytes an endpoint"));
        return 0;
    }

    private static long Weigh(int endpointsEach)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var xds = new ScriptedXdsClient();
        using var engine = LargeMesh.Create(xds, endpointsEach);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(engine);
        GC.KeepAlive(xds);
        return after - before;
    }
}
