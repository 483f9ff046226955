using System.Net;
using Mesh.Xds.Tests.Grpc;

namespace Mesh.Client.Tests.Retry;

/// <summary>A response that comes before its request has gone out.</summary>
public class EarlyResponseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_is_not_read_any_more_when_its_response_is_there(bool watched)
    {
        // As SocketsHttpHandler does it: only contents that an application writes itself go on beside their response.
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = watched ? RouteRules.Retry("reset") : null, http2: true, new Uri(server.Target).Port);
        var source = new SlowStream();
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new StreamContent(source) };
        var sending = mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var connection = await server.AcceptAsync();
        await source.Reading.Task.Within();

        // The framework need not flush headers that a body follows; the answer to a ping takes them along.
        await connection.WriteAsync(RawHttp2Connection.Ping, 0, 0, new byte[8]);
        var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
        await connection.ReadAsync(RawHttp2Connection.Ping);
        await connection.WriteHeadersAsync(stream, false, (":status", "200"));

        // The answer to a ping comes when the headers before it have been read.
        await connection.WriteAsync(RawHttp2Connection.Ping, 0, 0, new byte[8]);
        await connection.ReadAsync(RawHttp2Connection.Ping);
        for (var i = 0; i < 100 && !sending.IsCompleted; i++)
        {
            await Task.Delay(1);
        }

        sending.IsCompleted.ShouldBeFalse();
        source.GoOn.SetResult();
        using var response = await sending.Within();
        source.IsRead.ShouldBeTrue();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await connection.WriteAsync(RawHttp2Connection.Data, RawHttp2Connection.EndStream, stream, new byte[2]);
        (await response.Content.ReadAsByteArrayAsync().Within()).Length.ShouldBe(2);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task What_an_application_writes_itself_goes_on_beside_its_response()
    {
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("reset"), http2: true, new Uri(server.Target).Port);
        var goOn = new TaskCompletionSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = new ScriptedContent(async stream =>
            {
                await stream.FlushAsync();
                await goOn.Task;
                await stream.WriteAsync(new byte[5]);
            }),
        };
        var sending = mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var connection = await server.AcceptAsync();
        var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
        using var response = await sending.Within();

        goOn.SetResult();

        (await connection.ReadAsync(RawHttp2Connection.Data).Within()).Payload.Length.ShouldBe(5);
        await connection.WriteAsync(RawHttp2Connection.Data, RawHttp2Connection.EndStream, stream, new byte[2]);
        (await response.Content.ReadAsByteArrayAsync().Within()).Length.ShouldBe(2);
        mesh.ActiveRequests.ShouldBe(0);
    }

    /// <summary>Ends when it is let go on.</summary>
    private sealed class SlowStream : Stream
    {
        public TaskCompletionSource Reading { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsRead { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reading.TrySetResult();
            await GoOn.Task.WaitAsync(cancellationToken);
            IsRead = true;
            return 0;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
