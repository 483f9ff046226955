using System.Diagnostics;
using Bookinfo.Hosting;

namespace Bookinfo.Launcher;

/// <summary>One service as a process of its own: this same program with a role.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;
    private readonly Action<ServiceProcess, string> _onLine;
    private readonly TaskCompletionSource<string> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(string name, int number, Process process, Action<ServiceProcess, string> onLine)
    {
        Name = name;
        Number = number;
        _process = process;
        _onLine = onLine;
        Exited = RunAsync();
    }

    /// <summary>The name in front of its lines: <c>reviews-v2</c>.</summary>
    public string Name { get; }

    public int Number { get; }

    public int Id => _process.Id;

    /// <summary>Where it shows what it believes of the mesh; 0 when it does not.</summary>
    public int AdminPort { get; set; }

    /// <summary>The address once it listens; fails when the process ends before.</summary>
    public Task<string> Listening => _listening.Task;

    /// <summary>The exit code, once the process has ended and its last line was passed on.</summary>
    public Task<int> Exited { get; }

    public bool IsStopping { get; private set; }

    public static ServiceProcess Start(
        string name, int number, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, Action<ServiceProcess, string> onLine)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(typeof(ServiceProcess).Assembly.Location);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.ArgumentList.Add("--child");
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{name} could not be started.");
        return new ServiceProcess(name, number, process, onLine);
    }

    /// <summary>Asks the process to leave, waits, and kills it when it does not.</summary>
    public async Task StopAsync(TimeSpan deadline, TimeProvider time, CancellationToken now)
    {
        IsStopping = true;
        try
        {
            await _process.StandardInput.WriteLineAsync(ChildProtocol.Stop);
            await _process.StandardInput.FlushAsync(CancellationToken.None);
            await Exited.WaitAsync(deadline, time, now);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            Kill();
            await Exited;
        }
        catch (IOException)
        {
            // It was gone already.
            await Exited;
        }
    }

    public void Kill()
    {
        IsStopping = true;
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It was gone already.
        }
    }

    public void Dispose() => _process.Dispose();

    private async Task<int> RunAsync()
    {
        await Task.Yield();
        await Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
        await _process.WaitForExitAsync();
        _listening.TrySetException(new InvalidOperationException($"{Name} ended with exit code {_process.ExitCode} before it listened."));
        _ = _listening.Task.Exception;
        return _process.ExitCode;
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(ChildProtocol.Listening, StringComparison.Ordinal))
            {
                _listening.TrySetResult(line[ChildProtocol.Listening.Length..]);
            }
            else if (line.Length > 0)
            {
                _onLine(this, line);
            }
        }
    }
}
