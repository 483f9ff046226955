using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Mesh.Xds.Server.Tests;

/// <summary>gRPC by hand over HttpClient, so that the server's framing is judged by other code than its own.</summary>
internal sealed class RawGrpcClient(Uri server) : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = new(new SocketsHttpHandler()) { BaseAddress = server, Timeout = Guard };

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<HttpResponseMessage> CallAsync(string method, byte[] body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, method) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return SendAsync(request);
    }

    public async Task<RawGrpcStream> OpenAsync(string method)
    {
        var pipe = new Pipe();
        var request = new HttpRequestMessage(HttpMethod.Post, method) { Content = new PipeContent(pipe.Reader) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var response = await SendAsync(request);
        return new RawGrpcStream(response, await response.Content.ReadAsStreamAsync(), pipe.Writer);
    }

    public static byte[] Frame(IMessage message, bool gzip = false)
    {
        var body = message.ToByteArray();
        if (gzip)
        {
            using var target = new MemoryStream();
            using (var stream = new GZipStream(target, CompressionLevel.Optimal))
            {
                stream.Write(body);
            }

            body = target.ToArray();
        }

        return Frame((byte)(gzip ? 1 : 0), (uint)body.Length, body);
    }

    public static byte[] Frame(byte flag, uint length, byte[] body)
    {
        var frame = new byte[5 + body.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length);
        body.CopyTo(frame, 5);
        return frame;
    }

    public static async Task<T?> ReadMessageAsync<T>(Stream stream, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        using var guard = new CancellationTokenSource(Guard);
        var prefix = new byte[5];
        var read = await stream.ReadAtLeastAsync(prefix, 5, throwOnEndOfStream: false, guard.Token);
        if (read == 0)
        {
            return null;
        }

        read.ShouldBe(5);
        prefix[0].ShouldBe((byte)0);
        var body = new byte[BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1))];
        await stream.ReadExactlyAsync(body, guard.Token);
        return parser.ParseFrom(body);
    }

    public void Dispose() => _http.Dispose();

    private sealed class PipeContent(PipeReader reader) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        // HttpClient resets an abandoned stream only when its request content has ended.
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                foreach (var segment in result.Buffer)
                {
                    await stream.WriteAsync(segment, cancellationToken);
                }

                await stream.FlushAsync(cancellationToken);
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
