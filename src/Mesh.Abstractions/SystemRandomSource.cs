namespace Mesh;

/// <summary>The default source of chance: the thread-safe generator of the runtime.</summary>
public sealed class SystemRandomSource : IRandomSource
{
    /// <summary>The one instance that a process needs.</summary>
    public static SystemRandomSource Instance { get; } = new();

    private SystemRandomSource()
    {
    }

    /// <inheritdoc/>
#pragma warning disable RS0030 // This is the one place that adapts the runtime's generator to the injected contract.
    public ulong NextUInt64() => (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
#pragma warning restore RS0030
}
