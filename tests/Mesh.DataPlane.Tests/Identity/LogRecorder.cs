using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>Everything that is logged, as text.</summary>
internal sealed class LogRecorder : ILogger
{
    private readonly Lock _gate = new();
    private readonly List<(LogLevel Level, string Text)> _entries = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<(LogLevel Level, string Text)> Entries
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries];
            }
        }
    }

    /// <summary>Waits until so many entries are of a kind.</summary>
    public async Task UntilAsync(Func<(LogLevel Level, string Text), bool> kind, int count)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_entries.Count(kind) >= count)
                {
                    return;
                }

                more = _more.Task;
            }

            await more.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_gate)
        {
            _entries.Add((logLevel, $"{formatter(state, exception)} {exception}".TrimEnd()));
            var more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            more.SetResult();
        }
    }
}
