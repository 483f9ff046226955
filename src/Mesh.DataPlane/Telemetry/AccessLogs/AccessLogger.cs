using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Makes an entry of a request that is over, and hands it on. Never waits.</summary>
internal abstract class AccessLogger
{
    public abstract void Log(in FormatContext context);
}
