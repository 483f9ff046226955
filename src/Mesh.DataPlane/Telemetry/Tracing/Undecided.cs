using System.Diagnostics;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// Tells activities whose trace nobody has decided about from those that somebody does not record: frameworks make activities of no source, for the
/// sake of logs, where nobody listens.
/// </summary>
internal static class Undecided
{
    public static bool Is(Activity activity)
    {
        while (activity.Parent is { } parent)
        {
            activity = parent;
        }

        return activity.Source.Name.Length == 0 && activity.ParentSpanId == default && !activity.Recorded;
    }
}
