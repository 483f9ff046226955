using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Client.Tests.DefaultProxy;

/// <summary>A connection on which a test writes and reads bytes.</summary>
internal sealed class RawCaller : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<RawCaller> ConnectAsync(IPEndPoint server)
    {
        var caller = new RawCaller();
        await caller._socket.ConnectAsync(server).WaitAsync(Hang.Guard);
        return caller;
    }

    public Task SendAsync(string text) => _socket.SendAsync(Encoding.Latin1.GetBytes(text)).Within();

    /// <summary>Reads until the text has come.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            if (await _socket.ReceiveAsync(buffer).Within() == 0)
            {
                throw new EndOfStreamException($"Ended after: {text}");
            }

            text.Append((char)buffer[0]);
        }

        return text.ToString();
    }

    /// <summary>Reads to the end of the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        int read;
        while ((read = await _socket.ReceiveAsync(buffer).Within()) > 0)
        {
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    public void Dispose() => _socket.Dispose();
}
