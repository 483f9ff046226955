using System.Text;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Lines to the application's own logging, each an entry of the category <see cref="Category"/>.</summary>
internal sealed partial class LoggerOutput(ILogger entries, LogQueueSettings settings, AccessLogCounts counts, TimeProvider time, ILogger logger)
    : LineOutput(Category, settings, counts, time, logger)
{
    public const string Category = "Mesh.AccessLog";

    protected override ValueTask WriteAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<int> ends, CancellationToken cancellationToken)
    {
        if (entries.IsEnabled(LogLevel.Information))
        {
            var start = 0;
            foreach (var end in ends.Span)
            {
                Log.Entry(entries, Encoding.UTF8.GetString(text.Span[start..end].TrimEnd((byte)'\n')));
                start = end;
            }
        }

        return ValueTask.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Entry}", EventName = "AccessLog")]
        public static partial void Entry(ILogger logger, string entry);
    }
}
