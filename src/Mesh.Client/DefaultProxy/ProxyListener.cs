using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.DefaultProxy;

/// <summary>Listens on loopback, at a port of the system's choice, for the clients of this process.</summary>
internal sealed partial class ProxyListener : IDisposable
{
    /// <summary>So many connections may be open that have not shown yet that they are this process's.</summary>
    public const int MaxUntrusted = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cut = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly ProxyServices _services;
    private Task _accepting = Task.CompletedTask;
    private int _untrusted;

    public ProxyListener(ProxyServices services)
    {
        _services = services with { Stopping = _stopping.Token, Cut = _cut.Token };
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen();
        LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint LocalEndPoint { get; }

    public void Start()
    {
        OwnConnections.AddListener(LocalEndPoint.Port);
        _accepting = AcceptAsync();
    }

    /// <summary>Takes nothing new, ends tunnels and connections that wait, and lets requests that are under way end for as long as they may.</summary>
    public async Task StopAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        _socket.Dispose();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        OwnConnections.RemoveListener(LocalEndPoint.Port);
        var ended = Task.WhenAll(_connections.Keys);
        try
        {
            await ended.WaitAsync(limit, _services.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Log.Cut(_services.Logger, _connections.Count);
        }

        await _cut.CancelAsync().ConfigureAwait(false);
        await ended.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _stopping.Cancel();
        _cut.Cancel();
        OwnConnections.RemoveListener(LocalEndPoint.Port);
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket caller;
            try
            {
                caller = await _socket.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || _stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, or a caller who was gone before it was its turn: either passes.
                Log.NotAccepted(_services.Logger, e.Message);
                await Task.Delay(Pause, _services.Time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            if (Volatile.Read(ref _untrusted) >= MaxUntrusted)
            {
                caller.Dispose();
                continue;
            }

            Interlocked.Increment(ref _untrusted);
            var serving = Task.Run(() => ServeAsync(caller));
            _connections[serving] = true;
            _ = serving.ContinueWith(
                static (ended, s) => ((ProxyListener)s!)._connections.TryRemove(ended, out _),
                this,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private async Task ServeAsync(Socket caller)
    {
        caller.NoDelay = true;
        using var connection = new ProxyConnection(caller, _services);
        try
        {
            await connection.RunAsync(() => Interlocked.Decrement(ref _untrusted)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.Failed(_services.Logger, e);
        }
        finally
        {
            if (!connection.IsTrusted)
            {
                Interlocked.Decrement(ref _untrusted);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A connection to the mesh's proxy of this process was not accepted: {Reason}.")]
        public static partial void NotAccepted(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Information, "{Count} connections of the mesh's proxy of this process were cut because the application stops.")]
        public static partial void Cut(ILogger logger, int count);

        [LoggerMessage(3, LogLevel.Error, "A connection to the mesh's proxy of this process failed.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
