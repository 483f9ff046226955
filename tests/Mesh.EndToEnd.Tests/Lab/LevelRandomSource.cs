namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Every draw falls on the same place of the range until the test says otherwise: a share above it happens, one below it does not.</summary>
internal sealed class LevelRandomSource : IRandomSource
{
    private double _level;

    /// <summary>The place, from 0 to 1.</summary>
    public double Level
    {
        get => Volatile.Read(ref _level);
        set => Volatile.Write(ref _level, value);
    }

    public ulong NextUInt64() => (ulong)(Level * ulong.MaxValue);
}
