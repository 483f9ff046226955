using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Bookinfo.Hosting;

/// <summary>One line per log entry, so that the launcher can put a name in front of it.</summary>
internal sealed class ChildLogFormatter() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "bookinfo";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var level = logEntry.LogLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => "dbug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            _ => "fail",
        };

        textWriter.Write(level);
        textWriter.Write(' ');
        textWriter.Write(OneLine(message));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(OneLine($" ({exception.GetType().Name}: {exception.Message})"));
        }

        textWriter.Write('\n');
    }

    private static string OneLine(string text) => text.ReplaceLineEndings("; ");
}
