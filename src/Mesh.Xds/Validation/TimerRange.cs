namespace Mesh.Xds.Validation;

/// <summary>
/// How long a timer may wait: .NET's go no further than 49 days, a protobuf duration goes to ten thousand years, and arithmetic on those overflows.
/// Whoever sends so much means never.
/// </summary>
internal static class TimerRange
{
    public static TimeSpan Longest { get; } = TimeSpan.FromDays(24);

    public static TimeSpan Limit(TimeSpan wait) => wait < Longest ? wait : Longest;
}
