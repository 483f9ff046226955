using System.Threading.Channels;
using Google.Protobuf;

namespace Mesh.Peers.Tests.Servers;

/// <summary>An ADS server of a peer that says what the test tells it to, message by message.</summary>
internal sealed class ForeignAdsServer : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly PeerProcess _process;
    private readonly Channel<ForeignStream> _opened = Channel.CreateUnbounded<ForeignStream>();

    private ForeignAdsServer(PeerProcess process, int port)
    {
        _process = process;
        Target = $"127.0.0.1:{port}";
    }

    public string Target { get; }

    public static async Task<ForeignAdsServer> StartAsync(Peer peer, string script = "ads_server")
    {
        var process = peer.Run(script, new Dictionary<string, string>());
        var port = await process.ReadLineAsync();
        var server = new ForeignAdsServer(process, int.Parse(port.Split(' ')[1]));
        _ = server.ReadAsync();
        return server;
    }

    /// <summary>The next stream that the client opens.</summary>
    public async Task<ForeignStream> AcceptAsync() => await _opened.Reader.ReadAsync().AsTask().WaitAsync(Guard);

    public Task TellAsync(string line) => _process.WriteLineAsync(line);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task ReadAsync()
    {
        var streams = new Dictionary<string, ForeignStream>();
        try
        {
            while (true)
            {
                var words = (await _process.ReadLineAsync()).Split(' ');
                switch (words[0])
                {
                    case "open":
                        streams[words[1]] = new ForeignStream(this, words[1], words[2]);
                        _opened.Writer.TryWrite(streams[words[1]]);
                        break;
                    case "recv":
                        streams[words[1]].Add(ByteString.FromBase64(words[2]));
                        break;
                    default:
                        break;
                }
            }
        }
        catch (Exception exception)
        {
            _opened.Writer.TryComplete(exception);
            foreach (var stream in streams.Values)
            {
                stream.Fail(exception);
            }
        }
    }
}
