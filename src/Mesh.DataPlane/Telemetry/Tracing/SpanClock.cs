using System.Diagnostics;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Begins and ends activities without making them anybody's current one: the caller's context is not ours.</summary>
internal static class SpanClock
{
    public static void Start(Activity span, DateTimeOffset at)
    {
        var current = Activity.Current;
        span.SetStartTime(at.UtcDateTime);
        span.Start();
        Activity.Current = current;
    }

    public static void Stop(Activity span, DateTimeOffset at)
    {
        var current = Activity.Current;
        span.SetEndTime(at.UtcDateTime);
        span.Stop();

        // One that has stopped meanwhile cannot be current again, and there is nobody left to miss it.
        Activity.Current = current is { IsStopped: true } ? null : current;
    }
}
