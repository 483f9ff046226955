namespace Mesh.DataPlane.Upstream;

/// <summary>Where the clocks that span all attempts of a request stand, as time stamps; <see cref="long.MaxValue"/> where one does not run (yet).</summary>
internal readonly record struct AttemptClocks(long Route, long MaxStreamDuration)
{
    public static AttemptClocks None { get; } = new(long.MaxValue, long.MaxValue);
}
