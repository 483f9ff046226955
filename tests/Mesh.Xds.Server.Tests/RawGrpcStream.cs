using System.IO.Pipelines;
using Google.Protobuf;

namespace Mesh.Xds.Server.Tests;

/// <summary>An open call with a stream in each direction.</summary>
internal sealed class RawGrpcStream(HttpResponseMessage response, Stream body, PipeWriter requests)
{
    public HttpResponseMessage Response { get; } = response;

    public async Task WriteAsync(IMessage message) => await requests.WriteAsync(RawGrpcClient.Frame(message));

    public Task<T?> ReadAsync<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => RawGrpcClient.ReadMessageAsync(body, parser);

    public ValueTask CompleteAsync() => requests.CompleteAsync();

    /// <summary>Reads to the end and returns the status of the trailers.</summary>
    public async Task<(string Status, string? Message)> ReadStatusAsync()
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await body.CopyToAsync(Stream.Null, guard.Token);
        var trailers = Response.TrailingHeaders;
        return (trailers.GetValues("grpc-status").Single(), trailers.TryGetValues("grpc-message", out var message) ? message.Single() : null);
    }

    /// <summary>Reads to the end; <see langword="null"/> when the server has closed the connection in peace.</summary>
    // HttpClient forgets trailers that it has received when the connection ends before it has given up its own half of the stream.
    public async Task<string?> ReadStatusOrCloseAsync()
    {
        try
        {
            return (await ReadStatusAsync()).Status;
        }
        catch (HttpProtocolException exception) when (exception.ErrorCode == 0)
        {
            return null;
        }
    }
}
