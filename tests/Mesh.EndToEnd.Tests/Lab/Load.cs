using System.Collections.Concurrent;
using System.Globalization;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Several callers that go on calling, GET and POST with a body in turn, until they are told to stop. Nothing is tried again.</summary>
internal sealed class Load
{
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly TestLog _log;
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private readonly Task _running;
    private int _requests;
    private volatile bool _stopping;

    /// <param name="log">Shown when something fails.</param>
    /// <param name="client">Who calls.</param>
    /// <param name="targets">Whom, in turn.</param>
    /// <param name="callers">How many at a time, for each target.</param>
    /// <param name="track">Sees each answer: asked for a token before the request, and given it back with the version that answered.</param>
    public Load(TestLog log, HttpClient client, IReadOnlyList<string> targets, int callers = 4, IRequestTracker? track = null)
    {
        _log = log;
        _running = Task.WhenAll(targets.SelectMany(target => Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(client, target, caller, track)))));
    }

    public int Requests => Volatile.Read(ref _requests);

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Completes when so many more requests have been answered.</summary>
    public Task MoreAsync(int count)
    {
        lock (_waiters)
        {
            var waiter = (Requests + count, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiters.Add(waiter);
            return waiter.Item2.Task.OrHang($"{count} more requests, {_failures.Count} failures: {_failures.FirstOrDefault()}");
        }
    }

    /// <summary>Ends when at least <paramref name="atLeast"/> requests have been answered; fails when any was not answered by a workload.</summary>
    public async Task StopAsync(int atLeast = 0)
    {
        if (Requests < atLeast)
        {
            await MoreAsync(atLeast - Requests);
        }

        _stopping = true;
        await _running.OrHang();
        if (!_failures.IsEmpty)
        {
            Assert.Fail($"{_failures.Count} of {_requests} requests failed:\n{string.Join('\n', _failures.Take(10))}\n\n{_log}");
        }
    }

    private async Task CallAsync(HttpClient client, string target, int caller, IRequestTracker? track)
    {
        for (var number = 0; !_stopping; number++)
        {
            var body = number % 2 == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{caller}/{number} {new string('x', number % 5000)}");
            var token = track?.Begin(target) ?? 0;
            using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, $"{target}{(number % 3 == 0 ? "/a" : "/b")}");
            if (body is not null)
            {
                request.Content = new StringContent(body);
            }

            try
            {
                using var response = await client.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                if (!response.IsSuccessStatusCode || (body is not null && text != body) || (body is null && text.Length == 0))
                {
                    var flags = request.Options.TryGetValue(MeshRequest.ResponseFlags, out var f) ? f : "-";
                    Fail($"{request.Method} {request.RequestUri} #{number}: {(int)response.StatusCode} {flags} {text[..Math.Min(text.Length, 200)]}");
                }
                else if (track?.End(target, request.RequestUri!.AbsolutePath, token, response.Headers.GetValues(Workload.VersionHeader).Single()) is { } wrong)
                {
                    Fail(wrong);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                Fail($"{request.Method} {request.RequestUri} #{number}: {exception}");
            }

            Count();
        }
    }

    private void Fail(string failure)
    {
        _failures.Enqueue(failure);
        _log.Add("FAILED " + failure);
    }

    private void Count()
    {
        var requests = Interlocked.Increment(ref _requests);
        lock (_waiters)
        {
            foreach (var waiter in _waiters.Where(w => w.Count <= requests).ToArray())
            {
                _waiters.Remove(waiter);
                waiter.Reached.SetResult();
            }
        }
    }
}
