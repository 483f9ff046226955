using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.Testing;

namespace Mesh.Client.Tests.Timeouts;

/// <summary>The stream's idle timeout: whatever moves, in either direction and however it is read, keeps a stream alive.</summary>
public class IdleTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _next = new(0);

    [Theory]
    [InlineData("content")]
    [InlineData("stream")]
    [InlineData("reads")]
    public async Task A_response_that_keeps_coming_is_not_idle_however_it_is_copied(string way)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (var i = 0; i < 5; i++)
            {
                await _next.WaitAsync();
                await connection.WriteAsync("1\r\nx\r\n");
            }

            await connection.WriteAsync("0\r\n\r\n");
        });
        await using var mesh = Mesh(server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var target = new SignallingStream();
        var copying = way switch
        {
            "content" => response.Content.CopyToAsync(target),
            "stream" => (await response.Content.ReadAsStreamAsync()).CopyToAsync(target),
            _ => ReadAsync(await response.Content.ReadAsStreamAsync(), target),
        };
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            _next.Release();
            await target.Written.WaitAsync().Within();
        }

        await copying.Within();
        mesh.ActiveRequests.ShouldBe(0);

        static async Task ReadAsync(Stream from, Stream to)
        {
            var buffer = new byte[10];
            for (int read; (read = await from.ReadAsync(buffer)) > 0;)
            {
                await to.WriteAsync(buffer.AsMemory(0, read));
            }
        }
    }

    [Fact]
    public async Task An_upload_that_goes_on_is_not_idle()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            for (var i = 0; i < 5; i++)
            {
                await connection.ReadAsync("1\r\nx\r\n".Length);
                _next.Release();
            }

            await connection.ReadAsync("0\r\n\r\n".Length);
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh(server.Port);
        var content = new ScriptedContent(async stream =>
        {
            for (var i = 0; i < 5; i++)
            {
                await stream.WriteAsync("x"u8.ToArray());
                await stream.FlushAsync();
                await _next.WaitAsync();
                _time.Advance(TimeSpan.FromSeconds(3));
            }
        });

        using var response = await mesh.Client().PostAsync("http://reviews:9080/", content).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("ok");
    }

    [Fact]
    public async Task An_upgraded_connection_on_which_only_the_caller_speaks_is_not_idle()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
            await connection.ReadAsync(5);
            await connection.WriteAsync("!");
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh(server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "chat");
        using var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();
        var stream = await response.Content.ReadAsStreamAsync();
        var reading = stream.ReadAsync(new byte[1]).AsTask();
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            await stream.WriteAsync("x"u8.ToArray());
        }

        (await reading.Within()).ShouldBe(1);
        mesh.ActiveRequests.ShouldBe(1);
        response.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
    }

    private ClientMesh Mesh(int port)
        => ClientMesh.Create(time: _time).ServeWith(
            r =>
            {
                r.Timeout = new Duration();
                r.IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(4));
            },
            http2: false,
            port);

    /// <summary>Tells of each write.</summary>
    private sealed class SignallingStream : MemoryStream
    {
        public SemaphoreSlim Written { get; } = new(0);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            Written.Release();
        }
    }
}
