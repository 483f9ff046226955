using System.Net;
using System.Text;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Testing;
using Mesh.Xds.Tests.Grpc;

namespace Mesh.Client.Tests.Hostile;

/// <summary>Servers that break HTTP/2 in every way, under every policy, with every kind of body; see <see cref="HostileServerTests"/>.</summary>
public class HostileHttp2ServerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public enum Server
    {
        NeverAnswers,
        RefusesTheStream,
        ResetsTheStream,
        GoesAwayWithoutIt,
        GoesAwayWithAnError,
        EndsTheConnection,
        StallsInItsBody,
        ResetsInItsBody,
        EndsInItsBody,
        RefusesTheUpload,
        RefusesTheUploadAndResets,
        AnswersWithTrailersOnly,
        SendsHeadersWithoutStatus,
        SendsDataBeforeHeaders,
        SendsAGarbledFrame,
        SendsLessThanItSaid,
        SendsInterimResponsesAndStalls,
        IsWell,
    }

    public enum Policy
    {
        None,
        Retries,
        Hedges,
    }

    public static TheoryData<Server, Policy> All()
    {
        var data = new TheoryData<Server, Policy>();
        foreach (var server in System.Enum.GetValues<Server>())
        {
            foreach (var policy in System.Enum.GetValues<Policy>())
            {
                data.Add(server, policy);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Whatever_the_server_does_nothing_is_left_behind(Server behaviour, Policy policy)
    {
        using var server = new RawHttp2Server();
        _ = AcceptAsync(server, behaviour);
        await using var mesh = Mesh(policy, new Uri(server.Target).Port);
        var client = mesh.Client();
        client.Timeout = Timeout.InfiniteTimeSpan;
        foreach (var body in new[] { "none", "bytes", "seekable", "live", "pushed" })
        {
            for (var i = 0; i < 2; i++)
            {
                var outcome = SendAsync(client, body);
                if (await Task.WhenAny(outcome, _stalled.Task).Within() != outcome)
                {
                    while (!outcome.IsCompleted)
                    {
                        _time.Advance(TimeSpan.FromMilliseconds(500));
                        await Task.Yield();
                    }
                }

                var (status, failure) = await outcome.Within();
                var told = $"{behaviour} {policy} {body} {i}: {(int?)status} {failure}";
                failure.ShouldNotBeAssignableTo<OperationCanceledException>(told);
                if (failure is not null)
                {
                    (failure is HttpRequestException or IOException).ShouldBeTrue(told);
                }

                if (behaviour is Server.IsWell or Server.AnswersWithTrailersOnly)
                {
                    (status, failure).ShouldBe((HttpStatusCode.OK, null), told);
                }

                await Hang.Until(() => mesh.ActiveRequests + mesh.Permits == 0);
                mesh.ActiveRequests.ShouldBe(0, told);
                mesh.Permits.ShouldBe(0, told);
            }
        }
    }

    private static async Task<(HttpStatusCode? Status, Exception? Failure)> SendAsync(HttpClient client, string body)
    {
        HttpStatusCode? status = null;
        try
        {
            using var request = new HttpRequestMessage(body == "none" ? HttpMethod.Get : HttpMethod.Post, "http://reviews:9080/") { Content = Content(body) };
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            status = response.StatusCode;
            await response.Content.CopyToAsync(Stream.Null);
            return (status, null);
        }
        catch (Exception e)
        {
            return (status, e);
        }
    }

    private static HttpContent? Content(string kind)
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', 1000));
        return kind switch
        {
            "bytes" => new ByteArrayContent(bytes),
            "seekable" => new StreamContent(new MemoryStream(bytes)),
            "live" => new StreamContent(new System.IO.Pipelines.Pipe().Fill(bytes)),
            "pushed" => new ScriptedContent(async stream => await stream.WriteAsync(bytes)),
            _ => null,
        };
    }

    private async Task AcceptAsync(RawHttp2Server server, Server behaviour)
    {
        try
        {
            while (true)
            {
                var connection = await server.AcceptAsync();
                _ = ServeAsync(connection, behaviour);
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException or TimeoutException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(RawHttp2Connection connection, Server behaviour)
    {
        const byte WindowUpdate = 8;
        const uint Cancel = 8;
        try
        {
            // Uploads that nobody reads do not use up the connection's window.
            await connection.WriteAsync(WindowUpdate, 0, 0, [0x10, 0, 0, 0]);
            while (true)
            {
                var (stream, flags, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
                var early = behaviour is Server.RefusesTheUpload or Server.RefusesTheUploadAndResets or Server.RefusesTheStream;
                while (!early && (flags & RawHttp2Connection.EndStream) == 0)
                {
                    (_, flags, _) = await connection.ReadAsync(RawHttp2Connection.Data);
                }

                switch (behaviour)
                {
                    case Server.NeverAnswers:
                        _stalled.TrySetResult();
                        break;
                    case Server.RefusesTheStream:
                        await connection.WriteResetAsync(stream, 7);
                        break;
                    case Server.ResetsTheStream:
                        await connection.WriteResetAsync(stream, Cancel);
                        break;
                    case Server.GoesAwayWithoutIt:
                        await connection.WriteGoAwayAsync(0, 0, "");
                        connection.Dispose();
                        return;
                    case Server.GoesAwayWithAnError:
                        await connection.WriteGoAwayAsync(stream, 2, "broken");
                        connection.Dispose();
                        return;
                    case Server.EndsTheConnection:
                        connection.Dispose();
                        return;
                    case Server.StallsInItsBody:
                        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
                        await connection.WriteAsync(RawHttp2Connection.Data, 0, stream, new byte[3]);
                        _stalled.TrySetResult();
                        break;
                    case Server.ResetsInItsBody:
                        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
                        await connection.WriteAsync(RawHttp2Connection.Data, 0, stream, new byte[3]);
                        await connection.WriteResetAsync(stream, Cancel);
                        break;
                    case Server.EndsInItsBody:
                        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
                        await connection.WriteAsync(RawHttp2Connection.Data, 0, stream, new byte[3]);
                        connection.Dispose();
                        return;
                    case Server.RefusesTheUpload:
                        await connection.WriteHeadersAsync(stream, true, (":status", "503"));
                        break;
                    case Server.RefusesTheUploadAndResets:
                        await connection.WriteHeadersAsync(stream, true, (":status", "503"));
                        await connection.WriteResetAsync(stream, 0);
                        break;
                    case Server.AnswersWithTrailersOnly:
                        await connection.WriteHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "13"));
                        break;
                    case Server.SendsHeadersWithoutStatus:
                        await connection.WriteHeadersAsync(stream, true, ("x-nothing", "1"));
                        break;
                    case Server.SendsDataBeforeHeaders:
                        await connection.WriteAsync(RawHttp2Connection.Data, RawHttp2Connection.EndStream, stream, new byte[3]);
                        break;
                    case Server.SendsAGarbledFrame:
                        await connection.WriteAsync(RawHttp2Connection.Headers, RawHttp2Connection.EndHeaders, stream, [0xff, 0xff, 0xff, 0xff, 0xff]);
                        break;
                    case Server.SendsLessThanItSaid:
                        await connection.WriteHeadersAsync(stream, false, (":status", "200"), ("content-length", "10"));
                        await connection.WriteAsync(RawHttp2Connection.Data, RawHttp2Connection.EndStream, stream, new byte[3]);
                        break;
                    case Server.SendsInterimResponsesAndStalls:
                        await connection.WriteHeadersAsync(stream, false, (":status", "103"));
                        _stalled.TrySetResult();
                        break;
                    default:
                        await connection.WriteHeadersAsync(stream, false, (":status", "200"));
                        await connection.WriteAsync(RawHttp2Connection.Data, 0, stream, new byte[3]);
                        await connection.WriteHeadersAsync(stream, true, ("x-trailer", "1"));
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or TimeoutException)
        {
            // The client has left.
        }
    }

    private ClientMesh Mesh(Policy policy, int port)
        => ClientMesh.Create(time: _time)
            .ServeWith(
                r =>
                {
                    r.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
                    if (policy != Policy.None)
                    {
                        r.RetryPolicy = RouteRules.Retry("5xx,reset,connect-failure,refused-stream,internal", 2);
                        r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3));
                        r.HedgePolicy = policy == Policy.Hedges ? new HedgePolicy { HedgeOnPerTryTimeout = true } : null;
                    }
                },
                http2: true,
                port)
            .Use(ClientMesh.Http2(DataPlane.Tests.Resources.Cluster("reviews:9080").WithThresholds(new() { MaxConnections = 2, MaxRequests = 3, MaxRetries = 1 })));
}
