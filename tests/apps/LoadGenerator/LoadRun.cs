using LoadGenerator.Connections;

namespace LoadGenerator;

/// <summary>Makes the load: callers side by side, each of which sends when its turn has come and the answer before is there.</summary>
public static class LoadRun
{
    /// <param name="options">What load.</param>
    /// <param name="connect">What a caller asks by; it is the run's to dispose.</param>
    /// <param name="time">By which callers wait for their turns and answers are timed.</param>
    /// <param name="warn">Is told of every answer that is not good.</param>
    /// <param name="cancellationToken">Ends the run early; what was counted until then is the result.</param>
    public static async Task<LoadResult> RunAsync(
        LoadOptions options, Func<ILoadConnection> connect, TimeProvider time, Action<string>? warn = null, CancellationToken cancellationToken = default)
    {
        var started = time.GetUtcNow();
        var began = time.GetTimestamp();
        var callers = Enumerable.Range(0, options.Connections).Select(i => new Caller(options, i, connect, time, began, warn)).ToList();
        await Task.WhenAll(callers.Select(caller => Task.Run(() => caller.RunAsync(cancellationToken), CancellationToken.None)));
        var took = time.GetElapsedTime(began);

        var sum = new Caller(options, 0, connect, time, began, warn);
        callers.ForEach(sum.Add);
        return new LoadResult(options, started, took, sum.Latencies, sum.Sleeps, sum.Codes, sum.HeaderSizes, sum.Sizes, sum.ConnectTimes);
    }

    /// <summary>How many calls each of the callers makes, and how many are left for the first; as many as time allows: 0.</summary>
    public static (int Each, int Left) Share(LoadOptions options)
    {
        var calls = options.Exactly > 0
            ? options.Exactly
            : options.Qps > 0
                ? (int)Math.Max(options.Connections, options.Qps * options.Duration.TotalSeconds)
                : 0;
        return (calls / options.Connections, options.Exactly > 0 ? calls % options.Connections : 0);
    }

    private sealed class Caller(LoadOptions options, int index, Func<ILoadConnection> connect, TimeProvider time, long began, Action<string>? warn)
    {
        public LoadHistogram Latencies { get; } = new(options.Resolution);

        public LoadHistogram Sleeps { get; } = new(options.Resolution);

        public LoadHistogram HeaderSizes { get; } = new(1);

        public LoadHistogram Sizes { get; } = new(1);

        public LoadHistogram ConnectTimes { get; } = new(options.Resolution);

        public SortedDictionary<int, int> Codes { get; } = [];

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            var (each, left) = Share(options);
            var calls = each + (index == 0 ? left : 0);
            var perSecond = options.Qps / options.Connections;
            if (calls == 0 && options.Exactly > 0)
            {
                return;
            }

            using var connection = connect();
            for (var i = 0; !cancellationToken.IsCancellationRequested; i++)
            {
                if (calls > 0 ? i == calls : time.GetElapsedTime(began) >= options.Duration)
                {
                    break;
                }

                if (i > 0 && options.Qps > 0 && !await WaitForTurnAsync(Turn(i, calls, perSecond), cancellationToken))
                {
                    break;
                }

                await CallAsync(connection);
            }

            ConnectTimes.Add(connection.ConnectTimes);
        }

        public void Add(Caller other)
        {
            Latencies.Add(other.Latencies);
            Sleeps.Add(other.Sleeps);
            HeaderSizes.Add(other.HeaderSizes);
            Sizes.Add(other.Sizes);
            ConnectTimes.Add(other.ConnectTimes);
            foreach (var (code, count) in other.Codes)
            {
                Codes[code] = Codes.GetValueOrDefault(code) + count;
            }
        }

        // For a time, the last call is made at its end; exactly so many follow at even distances.
        private double Turn(int i, int calls, double perSecond)
            => options.Exactly > 0 || calls < 2 ? i / perSecond : (i + (i / (double)(calls - 1))) / perSecond;

        private async Task<bool> WaitForTurnAsync(double turn, CancellationToken cancellationToken)
        {
            var wait = TimeSpan.FromSeconds(turn) - time.GetElapsedTime(began);
            Sleeps.Record(wait.TotalSeconds);
            if (wait <= TimeSpan.Zero)
            {
                return true;
            }

            try
            {
                await Task.Delay(wait, time, cancellationToken);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        private async Task CallAsync(ILoadConnection connection)
        {
            var began = time.GetTimestamp();
            using var timeout = new CancellationTokenSource(options.Timeout, time);
            try
            {
                var answer = await connection.CallAsync(timeout.Token);
                Count(answer.Status, answer.HeaderBytes, answer.TotalBytes);
                if (answer.Status is < 200 or >= 300)
                {
                    warn?.Invoke($"Parsed non ok code {answer.Status} ({answer.StatusLine})");
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                Count(LoadResult.NoAnswer, 0, 0);
                warn?.Invoke(timeout.IsCancellationRequested ? $"No answer within {GoDuration.Format(options.Timeout)}" : $"No answer: {e.Message}");
            }

            Latencies.Record(time.GetElapsedTime(began).TotalSeconds);
        }

        private void Count(int code, int headerBytes, int totalBytes)
        {
            Codes[code] = Codes.GetValueOrDefault(code) + 1;
            HeaderSizes.Record(headerBytes);
            Sizes.Record(totalBytes);
        }
    }
}
