using System.Text;

namespace Mesh.Client.Tests.Tcp;

/// <summary>What a driver makes of a stream: it speaks the language of <see cref="LineServer"/>.</summary>
internal sealed class LineDriver(Stream stream) : IAsyncDisposable
{
    public Stream Stream { get; } = stream;

    public static async Task<LineDriver> ConnectAsync(IMeshConnector connector, string host, int port = 3306)
        => new(await connector.ConnectAsync(host, port).AsTask().Within());

    public async Task<string?> AskAsync(string line)
    {
        await SendAsync(line);
        return await ReadLineAsync();
    }

    public Task SendAsync(string line) => Stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\n")).AsTask().Within();

    /// <summary>The next line; <see langword="null"/> when the service has no more to say.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await Stream.ReadAsync(one).AsTask().Within() == 1)
        {
            if (one[0] == '\n')
            {
                return line.ToString();
            }

            line.Append((char)one[0]);
        }

        return null;
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
