using System.Collections.Concurrent;
using System.Text;

namespace Mesh.Client.Tests.Servers;

/// <summary>Remembers the head of every request byte by byte, reads its body, and answers 200 with the headers it is told to.</summary>
internal sealed class HeadServer : IDisposable
{
    private readonly RawServer _server;
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public HeadServer(string responseHeaders = "")
        => _server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is { } head)
            {
                _heads.Enqueue(head);
                if (Length(head) is > 0 and var length)
                {
                    Bodies.Enqueue(Encoding.Latin1.GetString(await connection.ReadAsync(length)));
                }

                _arrived.Release();

                await connection.WriteAsync($"HTTP/1.1 200 OK\r\n{responseHeaders}Content-Length: 2\r\n\r\nok");
            }
        });

    public int Port => _server.Port;

    public int Connections => _server.Accepted;

    public IReadOnlyCollection<string> Heads => _heads;

    public ConcurrentQueue<string> Bodies { get; } = new();

    /// <summary>The lines of the only request so far.</summary>
    public string[] Lines => _heads.ShouldHaveSingleItem().Split("\r\n");

    /// <summary>The values of a header of the only request so far.</summary>
    public string[] Header(string name)
        => [.. Lines.Skip(1).Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(l => l[(name.Length + 1)..].Trim())];

    /// <summary>Completes when one more request has arrived with its body.</summary>
    public Task ArrivedAsync() => _arrived.WaitAsync().Within();

    public void Forget() => _heads.Clear();

    public void Dispose() => _server.Dispose();

    private static int Length(string head)
        => head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } line
            ? int.Parse(line["Content-Length:".Length..])
            : 0;
}
