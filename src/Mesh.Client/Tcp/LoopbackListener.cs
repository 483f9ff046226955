using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Tcp;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tcp;

/// <summary>A port of this machine: whoever connects to it is connected to a service of the mesh.</summary>
internal sealed partial class LoopbackListener : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HostKey _service;
    private readonly MeshConnector _connector;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Socket _socket;
    private readonly SemaphoreSlim _places;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cutting = new();
    private readonly ConcurrentDictionary<Task, bool> _relays = new();
    private Task _accepting = Task.CompletedTask;
    private string? _told;
    private bool _isStopping;

    /// <param name="options">The settings.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="service">The service.</param>
    /// <param name="connector">Connects to it.</param>
    /// <param name="time">The clock of draining.</param>
    /// <param name="logger">Is told of connections that fail.</param>
    /// <exception cref="IOException">The port cannot be had.</exception>
    public LoopbackListener(MeshTcpListenerOptions options, string path, HostKey service, MeshConnector connector, TimeProvider time, ILogger logger)
    {
        Options = options;
        (_service, _connector, _time, _logger) = (service, connector, time, logger);
        _places = new SemaphoreSlim(options.MaxConnections);
        var address = IPEndPoint.Parse(options.Listen);
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(address);
            _socket.Listen();
        }
        catch (SocketException e)
        {
            _socket.Dispose();
            throw new IOException($"{path}:Listen is {options.Listen}, where nobody can listen: {e.Message}. Name another port, or 0 for a free one.", e);
        }

        LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public MeshTcpListenerOptions Options { get; }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Connections that are open.</summary>
    public int Open => _relays.Count;

    public void Start()
    {
        Log.Listening(_logger, Options.Service, LocalEndPoint);
        OwnConnections.AddListener(LocalEndPoint.Port);
        _accepting = AcceptAsync();
    }

    /// <summary>Takes no further connection, lets those that are open end for as long as they may, and cuts the others.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _isStopping, true);
        _socket.Dispose();
        OwnConnections.RemoveListener(LocalEndPoint.Port);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        var ended = Task.WhenAll(_relays.Keys);
        try
        {
            await ended.WaitAsync(Options.DrainTimeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Log.Cut(_logger, Open, Options.Service);
        }

        await _cutting.CancelAsync().ConfigureAwait(false);
        await ended.ConfigureAwait(false);
    }

    public void Dispose() => _socket.Dispose();

    private async Task AcceptAsync()
    {
        var stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Socket caller;
            try
            {
                caller = await _socket.AcceptAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || Volatile.Read(ref _isStopping))
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, or a caller who was gone before it was its turn: either passes.
                _places.Release();
                Log.NotAccepted(_logger, Options.Service, e.Message);
                await Task.Delay(Pause, _time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            var relay = RelayAsync(caller);
            _relays[relay] = true;
            _ = relay.ContinueWith(
                static (ended, s) => ((LoopbackListener)s!)._relays.TryRemove(ended, out _), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task RelayAsync(Socket caller)
    {
        try
        {
            caller.NoDelay = true;
            var upstream = await _connector.ConnectAsync(_service.Host, _service.Port, serverName: null, _cutting.Token).ConfigureAwait(false);
            await new Relay(caller, upstream).RunAsync(_cutting.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {

            // A connection that broke is the driver's to tell of; one that was never made looks to it as if the mesh had gone.
            if (NotMade(e) is { } reason && Interlocked.Exchange(ref _told, reason) != reason)
            {
                Log.NotConnected(_logger, LocalEndPoint, reason);
            }

            Relay.Reset(caller);
        }
        finally
        {
            caller.Dispose();
            _places.Release();
        }
    }

    private static string? NotMade(Exception e)
        => e switch
        {
            OperationCanceledException or ObjectDisposedException => null,
            IOException or SocketException => TcpFailure.IsNotMade(e) || (e.InnerException is { } inner && TcpFailure.IsNotMade(inner)) ? e.Message : null,
            _ => e.Message,
        };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The service {Service} is reached by connections to {Address}.")]
        public static partial void Listening(ILogger logger, string service, IPEndPoint address);

        [LoggerMessage(2, LogLevel.Warning, "A connection to {Address} was closed. {Reason}")]
        public static partial void NotConnected(ILogger logger, IPEndPoint address, string reason);

        [LoggerMessage(3, LogLevel.Warning, "A connection to the service {Service} was not accepted: {Reason}.")]
        public static partial void NotAccepted(ILogger logger, string service, string reason);

        [LoggerMessage(4, LogLevel.Information, "{Count} connections to the service {Service} were cut because the application stops.")]
        public static partial void Cut(ILogger logger, int count, string service);
    }
}
