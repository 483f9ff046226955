using System.Net;
using System.Net.Sockets;

namespace Mesh.Client.Tests.Servers;

/// <summary>Accepts connections and lets the test write, or fail to write, any byte it likes.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<RawConnection, Task> _serve;
    private int _accepted;

    public RawServer(Func<RawConnection, Task> serve)
    {
        _serve = serve;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public int Accepted => Volatile.Read(ref _accepted);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync();
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = new RawConnection(socket);
        try
        {
            await _serve(connection);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client has left.
        }
    }
}
