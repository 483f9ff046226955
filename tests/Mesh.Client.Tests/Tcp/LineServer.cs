using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.Client.Tests.Tcp;

/// <summary>
/// A service that speaks lines, as a database might: <c>NAME</c> is answered with its name, <c>ECHO x</c> with x, <c>DROP</c> with a reset, <c>LEAVE</c> with the end of
/// the connection, <c>SUM</c> with the number of bytes up to the end of what the caller has to say, <c>GIVE n</c> with n bytes.
/// </summary>
internal sealed class LineServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly string _name;
    private readonly bool _leavesAtOnce;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;
    private readonly List<Task> _serving = [];
    private readonly SemaphoreSlim _arrivals = new(0);
    private int _accepted;
    private int _open;

    public LineServer(string name = "server", bool leavesAtOnce = false, IPAddress? address = null, X509Certificate2? certificate = null)
    {
        (_name, _leavesAtOnce, _certificate) = (name, leavesAtOnce, certificate);
        _listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The same once there are so many: a caller is connected before the server has taken it in.</summary>
    public async Task<int> AcceptedAsync(int atLeast)
    {
        while (Accepted < atLeast)
        {
            await _arrivals.WaitAsync().Within();
        }

        return Accepted;
    }

    /// <summary>Connections whose end the server has not seen.</summary>
    public int Open => Volatile.Read(ref _open);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync();
                Interlocked.Increment(ref _accepted);
                Interlocked.Increment(ref _open);
                _serving.Add(ServeAsync(socket));
                _arrivals.Release();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using Stream stream = _certificate is null ? new NetworkStream(socket, ownsSocket: true) : new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            if (stream is SslStream tls)
            {
                await tls.AuthenticateAsServerAsync(_certificate!);
            }

            while (!_leavesAtOnce && await ReadLineAsync(stream) is { } line)
            {
                if (line == "DROP")
                {
                    // Closed by itself: its stream would say goodbye first.
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Dispose();
                    return;
                }

                if (line == "LEAVE")
                {
                    return;
                }

                if (line == "SUM")
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"{await CountAsync(stream)}\n"));
                    return;
                }

                if (line.StartsWith("GIVE "))
                {
                    await stream.WriteAsync(new byte[int.Parse(line[5..])]);
                }
                else
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes((line == "NAME" ? _name : line.StartsWith("ECHO ") ? line[5..] : "?") + "\n"));
                }
            }
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The caller has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task<long> CountAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        var sum = 0L;
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0)
        {
            sum += read;
        }

        return sum;
    }

    private static async Task<string?> ReadLineAsync(Stream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one) == 1)
        {
            if (one[0] == '\n')
            {
                return line.ToString();
            }

            line.Append((char)one[0]);
        }

        return null;
    }
}
