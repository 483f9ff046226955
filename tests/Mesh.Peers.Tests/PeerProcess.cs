using System.Collections.Concurrent;
using System.Diagnostics;

namespace Mesh.Peers.Tests;

/// <summary>A running peer: lines in, lines out.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();

    public PeerProcess(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.BeginErrorReadLine();
    }

    public async Task<string> ReadLineAsync()
    {
        using var guard = new CancellationTokenSource(Guard);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(guard.Token)
                ?? throw new InvalidOperationException($"the peer ended early, with {await ExitCodeAsync(guard.Token)}:\n{string.Join('\n', _errors)}");
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the peer has said nothing for {Guard}:\n{string.Join('\n', _errors)}");
        }
    }

    private async Task<int> ExitCodeAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await _process.WaitForExitAsync(guard.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
