using System.Threading.Channels;
using Google.Protobuf;
using Mesh.Xds.Grpc;

namespace Mesh.Peers.Tests.Servers;

/// <summary>One stream of our client at a foreign server.</summary>
internal sealed class ForeignStream(ForeignAdsServer server, string number, string path)
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly Channel<ByteString> _requests = Channel.CreateUnbounded<ByteString>();

    public string Path { get; } = path;

    public void Add(ByteString request) => _requests.Writer.TryWrite(request);

    public void Fail(Exception exception) => _requests.Writer.TryComplete(exception);

    public async Task<T> ReceiveAsync<T>(MessageParser<T> parser)
        where T : IMessage<T> => parser.ParseFrom(await _requests.Reader.ReadAsync().AsTask().WaitAsync(Guard));

    public Task SendAsync(IMessage message) => server.TellAsync($"send {number} {message.ToByteString().ToBase64()}");

    public Task CloseAsync(StatusCode code) => server.TellAsync($"close {number} {(int)code} closed by the transcript");

    public Task SendHalfAsync(IMessage message) => server.TellAsync($"half {number} {message.ToByteString().ToBase64()}");

    public Task SendRestAsync() => server.TellAsync($"rest {number}");

    public Task GoAwayAsync() => server.TellAsync($"goaway {number}");

    public Task TearAsync() => server.TellAsync($"tear {number}");
}
