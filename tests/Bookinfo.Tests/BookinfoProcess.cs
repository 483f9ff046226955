using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bookinfo.Tests;

/// <summary>The program as people run it: a process, the launcher or one service.</summary>
internal sealed class BookinfoProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly SemaphoreSlim _newLine = new(0);
    private readonly Task _reading;

    private BookinfoProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public IReadOnlyList<string> Lines => [.. _lines];

    public int Id => _process.Id;

    public static BookinfoProcess Start(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Bookinfo.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new BookinfoProcess(Process.Start(start)!);
    }

    /// <summary>The first line that contains <paramref name="text"/>, written already or to come.</summary>
    public async Task<string> LineAsync(string text)
    {
        while (true)
        {
            // Before the lines are looked at: the last of them may come in between.
            var isOver = _reading.IsCompleted;
            if (_lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            if (isOver || !await _newLine.WaitAsync(Guard.Hang))
            {
                throw new InvalidOperationException($"No line with '{text}':\n{string.Join('\n', _lines)}");
            }
        }
    }

    public async Task<int> ExitedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Guard.Hang);
        await _reading.WaitAsync(Guard.Hang);
        return _process.ExitCode;
    }

    public void Kill() => _process.Kill();

    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public void CloseInput() => _process.StandardInput.Close();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(Guard.Hang);
        }

        _process.Dispose();
        _newLine.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
            _newLine.Release();
        }

        _newLine.Release();
    }
}
