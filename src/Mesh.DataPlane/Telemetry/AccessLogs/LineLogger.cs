using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Entries that are lines.</summary>
internal sealed class LineLogger(AccessLogFormat format, LineOutput output) : AccessLogger
{
    public override void Log(in FormatContext context)
    {
        var text = Utf8Text.OfThread;
        format.Write(context, text);
        output.Add(text.Written);
    }
}
