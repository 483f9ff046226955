using System.Buffers.Binary;
using System.IO.Pipelines;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Grpc;

public class GrpcMessageReaderTests
{
    private static readonly DiscoveryResponse Message = new() { VersionInfo = new string('v', 3000), TypeUrl = "t", Nonce = "n" };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reads_what_the_writer_wrote(bool gzip)
    {
        var encoding = gzip ? GrpcEncoding.Gzip : GrpcEncoding.Identity;
        var stream = new MemoryStream();
        var writer = new GrpcMessageWriter(PipeWriter.Create(stream), encoding);
        await writer.WriteAsync(Message, default);
        await writer.WriteAsync(new DiscoveryResponse { Nonce = "small" }, default);
        await writer.WriteAsync(new DiscoveryResponse(), default);
        if (gzip)
        {
            stream.Length.ShouldBeLessThan(1000);
        }

        var reader = Reader(stream.ToArray(), encoding);
        (await reader.ReadAsync(DiscoveryResponse.Parser, default)).ShouldBe(Message);
        (await reader.ReadAsync(DiscoveryResponse.Parser, default))!.Nonce.ShouldBe("small");
        (await reader.ReadAsync(DiscoveryResponse.Parser, default)).ShouldBe(new DiscoveryResponse());
        (await reader.ReadAsync(DiscoveryResponse.Parser, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Reads_a_message_that_arrives_byte_by_byte()
    {
        var pipe = new Pipe();
        var reader = new GrpcMessageReader(pipe.Reader, GrpcEncoding.Identity);
        var read = reader.ReadAsync(DiscoveryResponse.Parser, default).AsTask();
        foreach (var b in Framed(Message.ToByteArray()))
        {
            read.IsCompleted.ShouldBeFalse();
            await pipe.Writer.WriteAsync(new[] { b });
        }

        (await read.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(Message);
    }

    [Fact]
    public async Task Refuses_a_length_of_4_GiB_before_reading_or_allocating_it()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 0, 0xff, 0xff, 0xff, 0xff });
        var before = GC.GetAllocatedBytesForCurrentThread();

        // Only the prefix is there: a reader that waited for the body would hang here. And nothing is waited for, which another thread might go on after.
        var read = new GrpcMessageReader(pipe.Reader, GrpcEncoding.Identity).ReadAsync(DiscoveryResponse.Parser, default).AsTask();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        read.IsCompleted.ShouldBeTrue();
        var error = await Should.ThrowAsync<RpcException>(read);
        error.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        error.Detail.ShouldContain("4294967295");
        allocated.ShouldBeLessThan(1024 * 1024);
    }

    [Fact]
    public async Task Refuses_a_small_message_that_unfolds_beyond_the_limit()
    {
        var bomb = GrpcEncodings.Gzip(new byte[4 * 1024 * 1024]);
        var reader = new GrpcMessageReader(PipeReader.Create(new MemoryStream(Framed(bomb, flag: 1))), GrpcEncoding.Gzip, maxMessageSize: 64 * 1024);

        bomb.Length.ShouldBeLessThan(64 * 1024);
        (await Should.ThrowAsync<RpcException>(async () => await reader.ReadAsync(DiscoveryResponse.Parser, default)))
            .StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0 }, "the body ended inside a message: 3 of 5 bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, "the body ended inside a message: 6 of 14 bytes")]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 1 }, "no grpc-encoding was announced")]
    [InlineData(new byte[] { 7, 0, 0, 0, 1, 1 }, "compressed flag of a message is 7")]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 10, 99 }, "is not a DiscoveryResponse")]
    public async Task Refuses_what_is_malformed(byte[] body, string reason)
    {
        var error = await Should.ThrowAsync<RpcException>(
            async () => await Reader(body, GrpcEncoding.Identity).ReadAsync(DiscoveryResponse.Parser, default));
        error.StatusCode.ShouldBe(StatusCode.Internal);
        error.Detail.ShouldContain(reason);
    }

    [Fact]
    public async Task Refuses_gzip_that_is_none()
    {
        var error = await Should.ThrowAsync<RpcException>(
            async () => await Reader(Framed([1, 2, 3], flag: 1), GrpcEncoding.Gzip).ReadAsync(DiscoveryResponse.Parser, default));
        error.StatusCode.ShouldBe(StatusCode.Internal);
    }

    internal static byte[] Framed(byte[] body, byte flag = 0)
    {
        var framed = new byte[body.Length + 5];
        framed[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)body.Length);
        body.CopyTo(framed, 5);
        return framed;
    }

    private static GrpcMessageReader Reader(byte[] body, GrpcEncoding encoding) => new(PipeReader.Create(new MemoryStream(body)), encoding);
}
