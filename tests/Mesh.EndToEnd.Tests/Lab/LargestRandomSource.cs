namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Always draws the largest number: the jitter of every back-off is at its longest.</summary>
internal sealed class LargestRandomSource : IRandomSource
{
    public ulong NextUInt64() => ulong.MaxValue;
}
