using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Upstream;
using Mesh.TestNet;
using Mesh.Testing;
using Mesh.Xds.Tests.Grpc;

namespace Mesh.Client.Tests.LocalReplies;

/// <summary>What has no HTTP answer is an exception, and tells as much as a reply does.</summary>
public sealed class FailureTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_that_leaves_is_DC(bool whileDelayed)
    {
        var arrived = new SemaphoreSlim(0);
        await using var situation = whileDelayed
            ? Situations.All[Situations.All.Keys.Single(k => k.StartsWith("a fault's abort after its delay", StringComparison.Ordinal))]()
            : new Situation();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            arrived.Release();
            await connection.WaitForEndAsync();
        });
        situation.Mesh.SetEndpoints(Situation.Authority, server.Port);
        await situation.Mesh.Engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None);
        using var request = situation.Request(grpc: false);
        using var leave = new CancellationTokenSource();
        var sending = situation.Mesh.Client().SendAsync(request, leave.Token);
        await (whileDelayed ? situation.Time.WaitForTimerAsync(2 * Second) : arrived.WaitAsync()).Within();

        await leave.CancelAsync();

        (await Record.ExceptionAsync(() => sending.Within())).ShouldBeAssignableTo<OperationCanceledException>();
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe(whileDelayed ? "DI,DC" : "DC");
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details);
        details.ShouldBe(LocalReply.CallerGone);
    }

    [Theory]
    [InlineData("Content-Length: 8\r\n\r\nhalf", "UC", "connection_termination")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno length\r\n", "UPE", "protocol_error")]
    public async Task A_body_that_ends_early_tells_how(string rest, string flag, string reason)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n" + rest);
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);

        ShouldBeLate(await ReadAsync(mesh), flag, $"upstream_reset_after_response_started{{{reason}}}");
    }

    [Fact]
    public async Task A_stream_that_is_reset_in_its_body_is_UR()
    {
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", new Uri(server.Target).Port, http2: true);
        var begun = new TaskCompletionSource();
        var reading = ReadAsync(mesh, begun);
        using var connection = await server.AcceptAsync();
        var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
        await connection.WriteHeadersAsync(stream, false, (":status", "200"));

        // A reset that overtakes the headers in the framework leaves no response.
        await begun.Task.Within();
        await connection.WriteResetAsync(stream, 2);

        ShouldBeLate(await reading.Within(), "UR", "upstream_reset_after_response_started{remote_reset}");
    }

    [Theory]
    [InlineData("goes away")]
    [InlineData("ends")]
    [InlineData("is reset")]
    public async Task A_connection_of_HTTP_2_that_is_lost_in_a_body_is_UC(string how)
    {
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", new Uri(server.Target).Port, http2: true);
        var begun = new TaskCompletionSource();
        var reading = ReadAsync(mesh, begun);
        using var connection = await server.AcceptAsync();
        var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
        await connection.WriteAsync(RawHttp2Connection.Data, 0, stream, new byte[3]);
        await begun.Task.Within();
        if (how == "is reset")
        {
            connection.Reset();
        }
        else
        {
            if (how == "goes away")
            {
                await connection.WriteGoAwayAsync(stream, 0, "bye");
            }

            connection.Dispose();
        }

        var failure = await reading.Within();
        failure.ShouldBeAssignableTo<IOException>();
        failure!.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UC", failure.ToString());
        failure.Data[MeshRequest.ResponseCodeDetails.Key].ShouldBe("upstream_reset_after_response_started{connection_termination}");
        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((200, "UC", "upstream_reset_after_response_started{connection_termination}"));
    }

    [Fact]
    public async Task A_body_that_takes_too_long_is_UT()
    {
        var time = new ManualTimeProvider();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create(time: time)
            .ServeWith(a => a.Timeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(3 * Second), http2: false, server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();

        time.Advance(3 * Second);

        ShouldBeLate(await Record.ExceptionAsync(() => response.Content.ReadAsStreamAsync().Within()), "UT", "response_timeout");
    }

    private static async Task<Exception?> ReadAsync(ClientMesh mesh, TaskCompletionSource? begun = null)
    {
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        begun?.SetResult();
        var body = await response.Content.ReadAsStreamAsync();
        return await Record.ExceptionAsync(async () =>
        {
            while (await body.ReadAsync(new byte[100]) > 0)
            {
            }
        });
    }

    private static void ShouldBeLate(Exception? exception, string flag, string details)
    {
        exception.ShouldBeAssignableTo<HttpIOException>();
        exception!.Data[MeshRequest.ResponseFlags.Key].ShouldBe(flag);
        exception.Data[MeshRequest.ResponseCodeDetails.Key].ShouldBe(details);
    }
}
