using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>What everybody in the lab said, in one order: shown when a test fails.</summary>
internal sealed class TestLog
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public void Add(string line) => _lines.Enqueue(line);

    public ILoggerProvider For(string who) => new Provider(this, who);

    public override string ToString() => string.Join('\n', _lines.TakeLast(200));

    private sealed class Provider(TestLog log, string who) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Logger(log, who, categoryName);

        public void Dispose()
        {
        }
    }

    private sealed class Logger(TestLog log, string who, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= (category.StartsWith("Mesh", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Add($"{who}: {logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : " " + exception)}");
            }
        }
    }
}
