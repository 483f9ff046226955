namespace Mesh.DataPlane.Tests;

/// <summary>What code allocates once it is warm: the least of several rounds, since the runtime allocates now and then on whatever thread it is.</summary>
internal static class Allocations
{
    public static long Of(Action<int> action)
    {
        var least = long.MaxValue;
        for (var round = 0; round < 10 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                action(i);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
