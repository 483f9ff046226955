using System.Net;
using System.Text;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.Testing;

namespace Mesh.Client.Tests.Hostile;

/// <summary>
/// Servers that break HTTP/1.1 in every way, under every policy, with every kind of body. Whatever happens, the caller gets a response or an
/// exception of the framework, never a cancellation that is not its own, and everything that the requests held is given back.
/// </summary>
public class HostileServerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public enum Server
    {
        NeverAnswers,
        ResetsAfterTheHead,
        EndsAfterTheHead,
        ResetsInItsHead,
        StallsInItsHead,
        StallsInItsBody,
        ResetsInItsBody,
        EndsInItsBody,
        RefusesTheUpload,
        WritesAGarbledStatus,
        FloodsWithInterimResponses,
        StallsAfterContinue,
        WritesHugeHeaders,
        WritesABrokenChunk,
        WritesMoreThanItSaid,
        ClosesAfterEachResponse,
        ClosesItsHalf,
        SaysTwoLengths,
        SaysANegativeLength,
        IsUnavailable,
        IsWell,
    }

    public enum Policy
    {
        None,
        Retries,
        Hedges,
        Ejects,
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
        using var server = new RawServer(connection => ServeAsync(connection, behaviour));
        await using var mesh = Mesh(policy, server.Port);
        var client = mesh.Client();
        client.Timeout = Timeout.InfiniteTimeSpan;
        foreach (var body in new[] { "none", "bytes", "seekable", "live", "pushed" })
        {
            for (var i = 0; i < 2; i++)
            {
                var outcome = SendAsync(client, body);
                var first = await Task.WhenAny(outcome, _stalled.Task).Within();
                for (var turns = 0; first != outcome && !outcome.IsCompleted; turns++)
                {
                    // Retries and clocks may begin while the time moves, so it keeps moving.
                    _time.Advance(TimeSpan.FromMilliseconds(500));
                    await Task.Yield();
                }

                var (status, failure) = await outcome.Within();
                var told = $"{behaviour} {policy} {body} {i}: {(int?)status} {failure}";
                failure.ShouldNotBeAssignableTo<OperationCanceledException>(told);
                if (failure is not null)
                {
                    (failure is HttpRequestException or IOException).ShouldBeTrue(told);
                }

                if (behaviour is Server.ClosesAfterEachResponse or Server.ClosesItsHalf)
                {
                    // A connection may end just as it is used again; what has begun to go out does not go out twice.
                    failure.ShouldBeNull(told);
                    status.ShouldBeOneOf([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable], told);
                }

                if (behaviour is Server.IsWell or Server.FloodsWithInterimResponses or Server.WritesMoreThanItSaid)
                {
                    (status, failure).ShouldBe((HttpStatusCode.OK, null), told);
                }

                await ShouldHoldNothingAsync(mesh, told);
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

    // A hedged attempt that lost gives back what it holds when it has noticed.
    private static async Task ShouldHoldNothingAsync(ClientMesh mesh, string told)
    {
        await Hang.Until(() => mesh.ActiveRequests + mesh.Permits == 0);
        mesh.ActiveRequests.ShouldBe(0, told);
        mesh.Permits.ShouldBe(0, told);
    }

    private async Task ServeAsync(RawConnection connection, Server behaviour)
    {
        while (await connection.ReadHeadAsync() is { } head)
        {
            if (behaviour is not (Server.RefusesTheUpload or Server.ResetsAfterTheHead or Server.EndsAfterTheHead))
            {
                await ReadBodyAsync(connection, head);
            }

            const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
            switch (behaviour)
            {
                case Server.NeverAnswers:
                    await StallAsync(connection);
                    return;
                case Server.ResetsAfterTheHead:
                    connection.Reset();
                    return;
                case Server.EndsAfterTheHead:
                    return;
                case Server.ResetsInItsHead:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Le");
                    connection.Reset();
                    return;
                case Server.StallsInItsHead:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Le");
                    await StallAsync(connection);
                    return;
                case Server.StallsInItsBody:
                    await connection.WriteAsync(Ok + "01");
                    await StallAsync(connection);
                    return;
                case Server.ResetsInItsBody:
                    await connection.WriteAsync(Ok + "01");
                    connection.Reset();
                    return;
                case Server.EndsInItsBody:
                    await connection.WriteAsync(Ok + "01");
                    return;
                case Server.RefusesTheUpload:
                    await connection.WriteAsync("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
                    return;
                case Server.WritesAGarbledStatus:
                    await connection.WriteAsync("HTTP/9.9 abc\r\n\r\n");
                    return;
                case Server.FloodsWithInterimResponses:
                    for (var i = 0; i < 200; i++)
                    {
                        await connection.WriteAsync(i % 2 == 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" : "HTTP/1.1 100 Continue\r\n\r\n");
                    }

                    await connection.WriteAsync(Ok + "0123456789");
                    break;
                case Server.StallsAfterContinue:
                    await connection.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
                    await StallAsync(connection);
                    return;
                case Server.WritesHugeHeaders:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nX-Huge: " + new string('x', 200_000) + "\r\n\r\n");
                    return;
                case Server.WritesABrokenChunk:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\n");
                    return;
                case Server.WritesMoreThanItSaid:
                    await connection.WriteAsync(Ok + "0123456789HTTP/1.1 500 Nobody asked\r\nContent-Length: 0\r\n\r\n");
                    break;
                case Server.ClosesAfterEachResponse:
                    await connection.WriteAsync(Ok + "0123456789");
                    return;
                case Server.ClosesItsHalf:
                    await connection.WriteAsync(Ok + "0123456789");
                    connection.Stream.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                    await connection.WaitForEndAsync();
                    return;
                case Server.SaysTwoLengths:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 10\r\n\r\n0123456789");
                    return;
                case Server.SaysANegativeLength:
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n0123456789");
                    return;
                case Server.IsUnavailable:
                    await connection.WriteAsync("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno");
                    break;
                default:
                    await connection.WriteAsync(Ok + "0123456789");
                    break;
            }
        }
    }

    private static async Task ReadBodyAsync(RawConnection connection, string head)
    {
        if (head.Contains("Content-Length: 1000", StringComparison.Ordinal))
        {
            await connection.ReadAsync(1000);
        }
        else if (head.Contains("chunked", StringComparison.Ordinal))
        {
            var body = new StringBuilder();
            while (!body.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal))
            {
                body.Append((char)(await connection.ReadAsync(1))[0]);
            }
        }
    }

    private Task StallAsync(RawConnection connection)
    {
        _stalled.TrySetResult();
        return connection.WaitForEndAsync();
    }

    private ClientMesh Mesh(Policy policy, int port)
    {
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080").WithThresholds(new() { MaxConnections = 2, MaxRequests = 5, MaxRetries = 1 });
        if (policy == Policy.Ejects)
        {
            cluster.OutlierDetection = new() { Consecutive5Xx = 3, SplitExternalLocalOriginErrors = true, MaxEjectionPercent = 50 };
        }

        return ClientMesh.Create(time: _time)
            .ServeWith(
                r =>
                {
                    r.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
                    if (policy is Policy.Retries or Policy.Hedges)
                    {
                        r.RetryPolicy = RouteRules.Retry("5xx,reset,connect-failure,refused-stream", 2);
                        r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3));
                        r.HedgePolicy = policy == Policy.Hedges ? new HedgePolicy { HedgeOnPerTryTimeout = true } : null;
                    }
                },
                http2: false,
                port,
                port)
            .Use(cluster);
    }
}
