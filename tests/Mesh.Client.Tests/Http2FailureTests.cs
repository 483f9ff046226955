using Mesh.Xds.Tests.Grpc;

namespace Mesh.Client.Tests;

/// <summary>What an HTTP/2 server can do to a stream, and what Envoy calls it.</summary>
public class Http2FailureTests
{
    private const uint Cancel = 8;
    private const uint InternalError = 2;
    private const uint RefusedStream = 7;

    [Theory]
    [InlineData(InternalError, "GET")]
    [InlineData(Cancel, "GET")]
    [InlineData(InternalError, "POST")]
    public async Task A_reset_stream_is_UR(uint code, string method)
    {
        await ShouldReplyAsync(
            method,
            async (connection, stream) => await connection.WriteResetAsync(stream, code),
            503,
            "UR",
            "upstream_reset_before_response_started{remote_reset}",
            "remote reset");
    }

    [Fact]
    public async Task A_refused_stream_is_UR_and_says_so()
    {
        await ShouldReplyAsync(
            "GET",
            async (connection, stream) => await connection.WriteResetAsync(stream, RefusedStream),
            503,
            "UR",
            "upstream_reset_before_response_started{remote_refused_stream_reset}",
            "remote refused stream reset",
            everyAttempt: true);
    }

    [Theory]
    [InlineData("GET", false)]
    [InlineData("POST", false)]
    [InlineData("GET", true)]
    [InlineData("POST", true)]
    public async Task A_connection_that_ends_below_a_stream_is_UC(string method, bool goAway)
    {
        await ShouldReplyAsync(
            method,
            async (connection, stream) =>
            {
                if (goAway)
                {
                    await connection.WriteGoAwayAsync(stream, 0, "bye");
                }

                connection.Dispose();
            },
            503,
            "UC",
            "upstream_reset_before_response_started{connection_termination}",
            "connection termination");
    }

    [Fact]
    public async Task A_stream_that_GOAWAY_did_not_process_goes_over_another_connection()
    {
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", Port(server), http2: true);
        var sending = mesh.Client().GetAsync("http://reviews:9080/");
        using (var first = await server.AcceptAsync())
        {
            await first.ReadAsync(RawHttp2Connection.Headers);
            await first.WriteGoAwayAsync(0, 0, "draining");
            using var second = await server.AcceptAsync();
            var (stream, _, _) = await second.ReadAsync(RawHttp2Connection.Headers);
            await second.WriteHeadersAsync(stream, true, (":status", "200"));

            using var response = await sending.Within();
            ((int)response.StatusCode).ShouldBe(200);
            mesh.ActiveRequests.ShouldBe(0);
        }
    }

    private static int Port(RawHttp2Server server) => new Uri(server.Target).Port;

    private static async Task ShouldReplyAsync(
        string method,
        Func<RawHttp2Connection, int, Task> fail,
        int status,
        string flags,
        string details,
        string reason,
        bool everyAttempt = false)
    {
        using var server = new RawHttp2Server();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", Port(server), http2: true);
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://reviews:9080/");
        var ended = new TaskCompletionSource();
        if (method == "POST")
        {
            request.Content = new ScriptedContent(async stream =>
            {
                await stream.WriteAsync(new byte[10]);
                await stream.FlushAsync();
                await ended.Task;
                await stream.WriteAsync(new byte[10]);
            });
        }

        var sending = mesh.Client().SendAsync(request);
        using var connection = await server.AcceptAsync();
        var failing = FailAsync(connection, fail, again: everyAttempt);
        ended.SetResult();
        using var response = await sending.Within();

        ((int)response.StatusCode).ShouldBe(status);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var actualFlags);
        actualFlags.ShouldBe(flags);
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var actualDetails);
        actualDetails.ShouldBe(details);
        (await response.Content.ReadAsStringAsync()).ShouldBe("upstream connect error or disconnect/reset before headers. reset reason: " + reason);
        mesh.ActiveRequests.ShouldBe(0);
        if (!everyAttempt)
        {
            await failing;
        }
    }

    // SocketsHttpHandler sends a refused stream again by itself, a few times.
    private static async Task FailAsync(RawHttp2Connection connection, Func<RawHttp2Connection, int, Task> fail, bool again)
    {
        do
        {
            var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
            await fail(connection, stream);
        }
        while (again);
    }
}
