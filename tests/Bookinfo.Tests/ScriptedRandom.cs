using Mesh;

namespace Bookinfo.Tests;

/// <summary>Draws what the test says, over and over.</summary>
internal sealed class ScriptedRandom(params ulong[] draws) : IRandomSource
{
    private int _next = -1;

    public ulong NextUInt64() => draws[Interlocked.Increment(ref _next) % draws.Length];
}
