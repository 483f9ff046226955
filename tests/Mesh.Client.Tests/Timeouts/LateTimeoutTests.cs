using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests.Timeouts;

/// <summary>Time that is up below a response: whoever hears of it first, all tell the same.</summary>
public sealed class LateTimeoutTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_hears_of_it_before_the_response_does_ends_a_request_that_has_timed_out(bool copies)
    {
        await using var mesh = Mesh((request, _) => Task.FromResult(Answer(request)));
        using var response = await mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), default).Within();
        var body = await response.Content.ReadAsStreamAsync();
        var reading = copies ? body.CopyToAsync(Stream.Null) : body.ReadAsync(new byte[1]).AsTask();

        await AdvanceAsync();

        (await Should.ThrowAsync<HttpIOException>(() => reading.Within())).Message.ShouldContain("timeout (UT)");
        ShouldHaveTimedOut(mesh);
    }

    [Fact]
    public async Task A_response_that_comes_while_time_runs_out_says_so_to_its_reader()
    {
        await using var mesh = Mesh((request, token) =>
        {
            var answer = new TaskCompletionSource<HttpResponseMessage>();
            token.Register(() => answer.SetResult(Answer(request)));
            return answer.Task;
        });
        var sending = mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), default);

        await AdvanceAsync();

        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Should.ThrowAsync<HttpIOException>(() => response.Content.ReadAsStreamAsync().Within())).Message.ShouldContain("timeout (UT)");
        ShouldHaveTimedOut(mesh);
    }

    private static void ShouldHaveTimedOut(ClientMesh mesh)
    {
        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((200, "UT", "response_timeout"));
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    private static HttpResponseMessage Answer(HttpRequestMessage request) => new() { RequestMessage = request, Content = new StreamContent(new EndlessStream()) };

    // Without the test's context, whose continuations would wait for the clock to come back.
    private Task AdvanceAsync() => Task.Run(() => _time.Advance(3 * Second)).Within();

    private ClientMesh Mesh(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send)
        => ClientMesh.Create(services => services.AddSingleton<IEndpointTransportFactory>(new Transports(send)), time: _time)
            .ServeWith(action => action.Timeout = Duration.FromTimeSpan(3 * Second), http2: false, 1);

    /// <summary>Transports that answer by what the test gives them.</summary>
    private sealed class Transports(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send) : IEndpointTransportFactory, IEndpointTransport
    {
        public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings) => this;

        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => send(request, cancellationToken);

        public void Dispose()
        {
        }
    }

    /// <summary>Whose readers go on within the cancellation that ends them.</summary>
    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = new TaskCompletionSource<int>();
            cancellationToken.Register(() => read.SetCanceled(cancellationToken));
            return new ValueTask<int>(read.Task);
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
