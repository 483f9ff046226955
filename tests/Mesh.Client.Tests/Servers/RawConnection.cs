using System.Net.Sockets;
using System.Text;

namespace Mesh.Client.Tests.Servers;

/// <summary>The server's end of one connection.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;

    public RawConnection(Socket socket)
    {
        _socket = socket;
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            _socket.NoDelay = true;
        }

        Stream = new NetworkStream(socket);
    }

    public NetworkStream Stream { get; }

    /// <summary>The head of a request up to and without the empty line; <see langword="null"/> when the client has left.</summary>
    public async Task<string?> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await Stream.ReadAsync(one) == 0)
            {
                return null;
            }

            head.Append((char)one[0]);
        }

        return head.ToString()[..^4];
    }

    public async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await Stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    public Task WriteAsync(string text) => Stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();

    /// <summary>Completes when the client has closed its end.</summary>
    public async Task WaitForEndAsync()
    {
        var buffer = new byte[4096];
        while (await Stream.ReadAsync(buffer) > 0)
        {
        }
    }

    /// <summary>Ends the connection with RST instead of FIN.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public void Dispose()
    {
        Stream.Dispose();
        _socket.Dispose();
    }
}
