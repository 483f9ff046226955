using System.Net;
using LoadGenerator;
using LoadGenerator.Connections;
using Mesh.TestNet;
using Mesh.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LabApps.Tests.Load;

public sealed class LoadRunTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(3, 20, 8)]
    [InlineData(4, 50, 14)]
    [InlineData(4, 3, 3)]
    public async Task Makes_exactly_as_many_calls_as_are_asked_for_and_the_first_caller_those_that_are_left(int callers, int calls, int first)
    {
        var connections = new List<ScriptedConnection>();
        var options = Options(callers) with { Qps = 0, Exactly = calls };

        var result = await LoadRun.RunAsync(options, () => Connect(connections), TimeProvider.System);

        result.Calls.ShouldBe(calls);
        connections.Max(connection => connection.Calls).ShouldBe(first);
        connections.Sum(connection => connection.Calls).ShouldBe(calls);
        connections.ShouldAllBe(connection => connection.IsDisposed);
        LoadRun.Share(options).ShouldBe((calls / callers, calls % callers));
    }

    [Fact]
    public async Task Keeps_to_the_rate_and_ends_with_the_time()
    {
        var time = new ManualTimeProvider();
        var start = time.GetUtcNow();
        var connections = new List<ScriptedConnection>();

        // The only timers are those of callers who wait for their turns.
        var options = Options(callers: 2) with { Qps = 8, Duration = TimeSpan.FromSeconds(5), Timeout = Timeout.InfiniteTimeSpan };
        var running = LoadRun.RunAsync(options, () => Connect(connections), time);

        // Four a second of each: the second of its twenty is due after 1 × (1 + 1/19) / 4 seconds.
        for (var call = 1; call < 20; call++)
        {
            await time.WaitForTimersAsync(2).WaitAsync(Hang);
            connections.Sum(connection => connection.Calls).ShouldBe(2 * call);
            var due = TimeSpan.FromSeconds((call + (call / 19.0)) / 4);
            time.Advance(due - (time.GetUtcNow() - start) - TimeSpan.FromMilliseconds(1));
            connections.Sum(connection => connection.Calls).ShouldBe(2 * call);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var result = await running;
        result.Calls.ShouldBe(40);
        result.Took.ShouldBe(TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(2));
        result.Qps.ShouldBe(8, 0.1);
        result.Sleeps.Count.ShouldBe(38);
    }

    [Fact]
    public async Task An_answer_that_does_not_come_in_time_is_a_call_without_a_code()
    {
        var time = new ManualTimeProvider();
        var warnings = new List<string>();
        var connections = new List<ScriptedConnection>();
        var running = LoadRun.RunAsync(
            Options(callers: 1) with { Qps = 0, Exactly = 1 }, () => Connect(connections, _ => new TaskCompletionSource<LoadAnswer>().Task), time, warnings.Add);
        await time.WaitForTimersAsync(1).WaitAsync(Hang);

        time.Advance(TimeSpan.FromSeconds(3));

        var result = await running;
        result.Codes.ShouldBe(new Dictionary<int, int> { [LoadResult.NoAnswer] = 1 });
        result.Latencies.Max.ShouldBe(3);
        warnings.ShouldBe(["No answer within 3s"]);
    }

    [Fact]
    public async Task Counts_codes_and_warns_of_those_that_are_not_good()
    {
        var connections = new List<ScriptedConnection>();
        var warnings = new List<string>();
        var answers = new Queue<int>([200, 503, 201, 404]);

        var result = await LoadRun.RunAsync(
            Options(callers: 1) with { Qps = 0, Exactly = 5 },
            () => Connect(connections, _ => answers.TryDequeue(out var code) ? Task.FromResult(new LoadAnswer(code, $"HTTP/1.1 {code}", 10, 30)) : throw new IOException("reset")),
            TimeProvider.System,
            warnings.Add);

        result.Codes.ShouldBe(new Dictionary<int, int> { [LoadResult.NoAnswer] = 1, [200] = 1, [201] = 1, [404] = 1, [503] = 1 });
        (result.HeaderSizes.Sum, result.Sizes.Sum).ShouldBe((40, 120));
        warnings.ShouldBe(["Parsed non ok code 503 (HTTP/1.1 503)", "Parsed non ok code 404 (HTTP/1.1 404)", "No answer: reset"]);
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 12)]
    public async Task A_caller_keeps_its_connection_or_makes_one_for_each_request(bool keepAlive, int sockets)
    {
        await using var server = await ServerAsync(context => context.Response.WriteAsync("hello"));
        var options = LoadOptions.Parse(["-c", "2", "-qps", "0", "-n", "12", $"-keepalive={(keepAlive ? "true" : "false")}", server.Urls.Single() + "/get?a=b"]);

        var result = await LoadRun.RunAsync(options, () => new SocketConnection(options, TimeProvider.System), TimeProvider.System);

        result.Codes.ShouldBe(new Dictionary<int, int> { [200] = 12 });
        result.Sockets.ShouldBe(sockets);
    }

    [Fact]
    public async Task Reads_bodies_of_every_kind_and_counts_their_bytes()
    {
        await using var server = await ServerAsync(async context =>
        {
            switch (context.Request.Path)
            {
                case "/chunked":
                    await context.Response.WriteAsync(new string('x', 100_000));
                    await context.Response.Body.FlushAsync();
                    await context.Response.WriteAsync("y");
                    break;
                case "/length":
                    context.Response.ContentLength = 5;
                    await context.Response.WriteAsync("hello");
                    break;
                case "/end":
                    context.Response.Headers.Connection = "close";
                    context.Response.ContentLength = 3;
                    await context.Response.WriteAsync("bye");
                    break;
                default:
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                    break;
            }
        });

        foreach (var (path, code, body, sockets) in new[] { ("/chunked", 200, 100_001, 1), ("/length", 200, 5, 1), ("/end", 200, 3, 3), ("/none", 204, 0, 1) })
        {
            var options = LoadOptions.Parse(["-c", "1", "-qps", "0", "-n", "3", server.Urls.Single() + path]);
            var result = await LoadRun.RunAsync(options, () => new SocketConnection(options, TimeProvider.System), TimeProvider.System);

            result.Codes.ShouldBe(new Dictionary<int, int> { [code] = 3 }, path);
            result.Sockets.ShouldBe(sockets, path);
            var bodies = result.Sizes.Sum - result.HeaderSizes.Sum;
            bodies.ShouldBeInRange(3 * body, 3 * (body + (path == "/chunked" ? 200 : 0)), path);
        }
    }

    [Fact]
    public async Task Nobody_who_listens_is_a_call_without_a_code()
    {
        var options = LoadOptions.Parse(["-c", "1", "-qps", "0", "-n", "2", $"http://127.0.0.1:{ClosedPort.Take()}"]);

        var result = await LoadRun.RunAsync(options, () => new SocketConnection(options, TimeProvider.System), TimeProvider.System);

        result.Codes.ShouldBe(new Dictionary<int, int> { [LoadResult.NoAnswer] = 2 });
        result.Sockets.ShouldBe(0);
    }

    [Fact]
    public async Task Asks_through_a_client_of_the_application()
    {
        await using var server = await ServerAsync(context =>
        {
            context.Response.StatusCode = context.Request.Headers["end-user"] == "jason" ? 200 : 403;
            return context.Response.WriteAsync("hello");
        });
        using var client = new HttpClient();
        var options = LoadOptions.Parse(["-c", "2", "-qps", "0", "-n", "4", "-H", "end-user: jason", server.Urls.Single()]);

        var result = await LoadRun.RunAsync(options, () => new HttpClientConnection(options, client), TimeProvider.System);

        result.Codes.ShouldBe(new Dictionary<int, int> { [200] = 4 });
        (result.Sizes.Sum - result.HeaderSizes.Sum).ShouldBe(20);
        result.Sockets.ShouldBe(0);
    }

    private static LoadOptions Options(int callers) => new(new Uri("http://httpbin:8000/get")) { Connections = callers };

    private static ScriptedConnection Connect(List<ScriptedConnection> all, Func<CancellationToken, Task<LoadAnswer>>? answer = null)
    {
        var connection = new ScriptedConnection(answer ?? (_ => Task.FromResult(new LoadAnswer(200, "HTTP/1.1 200", 20, 30))));
        lock (all)
        {
            all.Add(connection);
        }

        return connection;
    }

    private static async Task<WebApplication> ServerAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    private sealed class ScriptedConnection(Func<CancellationToken, Task<LoadAnswer>> answer) : ILoadConnection
    {
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public bool IsDisposed { get; private set; }

        public LoadHistogram ConnectTimes { get; } = new();

        public async Task<LoadAnswer> CallAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            return await answer(cancellationToken).WaitAsync(cancellationToken);
        }

        public void Dispose() => IsDisposed = true;
    }
}
