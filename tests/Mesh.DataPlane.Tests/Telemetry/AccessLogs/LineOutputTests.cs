using System.Text;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.Testing;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>Lines on their way to files and streams: nobody waits for them, and what is lost is counted.</summary>
public sealed class LineOutputTests : IDisposable
{
    private static readonly LogQueueSettings Queue = new(TimeSpan.FromSeconds(1), 64 * 1024, 1024 * 1024);

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-access-log-").FullName;
    private readonly MetricRegistry _metrics = new();
    private readonly ManualTimeProvider _time = new();
    private readonly TestLogger _logger = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Lines_are_written_in_their_order_when_they_have_waited_long_enough()
    {
        using var stream = new MemoryStream();
        await using var output = new StreamOutput("/dev/stdout", () => stream, Queue, Counts(), _time, _logger);
        for (var i = 0; i < 100; i++)
        {
            output.Add(Encoding.UTF8.GetBytes($"line {i}\n"));
        }

        output.Counts.Written.ShouldBe(0);
        _time.Advance(TimeSpan.FromSeconds(1));
        await output.FlushAsync(default);

        Encoding.UTF8.GetString(stream.ToArray()).ShouldBe(string.Concat(Enumerable.Range(0, 100).Select(i => $"line {i}\n")));
        (output.Counts.Written, output.Counts.Dropped).ShouldBe((100, 0));
    }

    [Fact]
    public async Task Whoever_reads_nothing_holds_nobody_up_and_costs_what_finds_no_room()
    {
        using var stuck = new StuckStream();
        await using var output = new StreamOutput("/dev/stdout", () => stuck, Queue with { MaxBytes = 100 * 100 }, Counts(), _time, _logger);
        var line = new byte[100];
        output.Add(line);
        var flushing = output.FlushAsync(default);
        await stuck.Reached.WaitAsync(TimeSpan.FromSeconds(30));
        for (var i = 0; i < 1_000; i++)
        {
            output.Add(line);
        }

        output.Counts.Dropped.ShouldBe(1_000 - 99);
        stuck.Release();
        await flushing;
        await output.FlushAsync(default);
        (output.Counts.Written, output.Counts.Dropped).ShouldBe((100, 901));
    }

    [Fact]
    public async Task Many_at_once_lose_nothing_tear_nothing_and_keep_their_own_order()
    {
        const int Threads = 4;
        const int Lines = 20_000;
        using var stream = new MemoryStream();
        await using var output = new StreamOutput("/dev/stdout", () => stream, Queue with { FlushBytes = 4096, MaxBytes = long.MaxValue }, Counts(), _time, _logger);
        var flushing = Task.Run(async () =>
        {
            while (output.Counts.Written < Threads * Lines)
            {
                await output.FlushAsync(default);
                await Task.Yield();
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < Lines; i++)
            {
                output.Add(Encoding.UTF8.GetBytes($"{thread} {i}{new string('.', i % 50)}\n"));
            }
        })));
        await flushing.WaitAsync(TimeSpan.FromSeconds(60));

        var next = new int[Threads];
        foreach (var line in Encoding.UTF8.GetString(stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.TrimEnd('.').Split(' ');
            int.Parse(parts[1]).ShouldBe(next[int.Parse(parts[0])]++);
        }

        next.ShouldAllBe(n => n == Lines);
        (output.Counts.Written, output.Counts.Dropped).ShouldBe((Threads * Lines, 0));
    }

    [Fact]
    public async Task Lines_that_are_longer_than_a_chunk_stand_where_they_belong()
    {
        using var stream = new MemoryStream();
        await using var output = new StreamOutput("/dev/stdout", () => stream, Queue with { FlushBytes = 64, MaxBytes = 1000 }, Counts(), _time, _logger);
        foreach (var line in (string[])["a\n", new string('b', 500) + "\n", "c\n", new string('d', 1001) + "\n", "\n", "e\n"])
        {
            output.Add(Encoding.UTF8.GetBytes(line));
        }

        await output.FlushAsync(default);

        Encoding.UTF8.GetString(stream.ToArray()).ShouldBe($"a\n{new string('b', 500)}\nc\n\ne\n");
        (output.Counts.Written, output.Counts.Dropped).ShouldBe((5, 1));
    }

    [Fact]
    public async Task A_full_chunk_is_written_at_once_and_the_rest_in_its_time()
    {
        using var stream = new StuckStream();
        await using var output = new StreamOutput("/dev/stdout", () => stream, Queue with { FlushBytes = 64 }, Counts(), _time, _logger);
        output.Add(new byte[60]);
        output.Add(new byte[60]);
        await stream.Reached.WaitAsync(TimeSpan.FromSeconds(30));
        stream.Release();
        await output.FlushAsync(default);

        stream.Writes.ShouldBe([60, 60]);
    }

    [Fact]
    public async Task What_is_left_at_the_end_counts_as_lost()
    {
        using var stream = new MemoryStream();
        var output = new StreamOutput("/dev/stdout", () => stream, Queue with { FlushBytes = 64 }, Counts(), _time, _logger);
        output.Add("a\n"u8);
        await output.DisposeAsync();
        output.Add("b\n"u8);

        stream.Length.ShouldBe(0);
        (output.Counts.Written, output.Counts.Dropped).ShouldBe((0, 2));
    }

    [Fact]
    public async Task Whoever_flushes_at_the_end_or_after_it_does_not_wait()
    {
        using var stream = new StuckStream();
        var output = new StreamOutput("/dev/stdout", () => stream, Queue, Counts(), _time, _logger);
        output.Add("a\n"u8);
        var first = output.FlushAsync(default);
        await stream.Reached.WaitAsync(TimeSpan.FromSeconds(30));
        var ending = output.DisposeAsync().AsTask();
        var second = output.FlushAsync(default);
        stream.Release();

        await Task.WhenAll(first, ending, second).WaitAsync(TimeSpan.FromSeconds(30));
        await output.FlushAsync(default).WaitAsync(TimeSpan.FromSeconds(30));
        stream.Writes.ShouldBe([2]);
    }

    [Fact]
    public async Task A_file_that_is_moved_away_is_followed_by_a_new_one_of_its_name()
    {
        var path = Path.Combine(_directory, "sub", "access.log");
        await using var output = new FileOutput(path, null, Queue, Counts(), _time, _logger);
        await WriteAsync(output, "one\n");
        File.Move(path, path + ".old");
        await WriteAsync(output, "two\n");
        await WriteAsync(output, "three\n");
        await File.WriteAllTextAsync(path, "");
        await WriteAsync(output, "four\n");

        File.ReadAllText(path + ".old").ShouldBe("one\n");
        File.ReadAllText(path).ShouldBe("four\n");
    }

    [Fact]
    public async Task A_file_that_is_full_is_changed_for_another_between_two_lines()
    {
        var path = Path.Combine(_directory, "access.log");
        await using var output = new FileOutput(path, new FileRotation(25, 3), Queue, Counts(), _time, _logger);
        for (var i = 0; i < 8; i++)
        {
            output.Add(Encoding.UTF8.GetBytes($"entry no {i}\n"));
        }

        await output.FlushAsync(default);

        File.ReadAllText(path).ShouldBe("entry no 6\nentry no 7\n");
        File.ReadAllText(path + ".1").ShouldBe("entry no 4\nentry no 5\n");
        File.ReadAllText(path + ".2").ShouldBe("entry no 2\nentry no 3\n");
        Directory.GetFiles(_directory).Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_once_and_again_when_it_can()
    {
        var path = Path.Combine(_directory, "access.log");
        Directory.CreateDirectory(path);
        await using var output = new FileOutput(path, null, Queue, Counts(), _time, _logger);
        await WriteAsync(output, "one\n");
        await WriteAsync(output, "two\n");
        _logger.Messages.ShouldHaveSingleItem().ShouldStartWith($"The access log {path} cannot be written: ");
        Directory.Delete(path);
        await WriteAsync(output, "three\n");

        File.ReadAllText(path).ShouldBe("three\n");
        _logger.Messages[1].ShouldBe($"The access log {path} can be written again; 2 entries were dropped.");
        (output.Counts.Written, output.Counts.Dropped, output.Counts.Failures).ShouldBe((1, 2, 2));
    }

    [Theory]
    [InlineData("access.log", true)]
    [InlineData("sub/access.log", true)]
    [InlineData("../access.log", false)]
    [InlineData("sub/../../access.log", false)]
    [InlineData("/etc/cron.d/job", false)]
    [InlineData("/tmp/logs-of-others/../../etc/passwd", false)]
    [InlineData("", false)]
    [InlineData("sub/", false)]
    [InlineData("a\0b", false)]
    public void A_control_plane_writes_below_its_directory_alone(string path, bool allowed)
    {
        (LineOutputs.Resolve(path, _directory) is not null).ShouldBe(allowed);
        LineOutputs.Resolve(path, null).ShouldBeNull();
        LineOutputs.Resolve(Path.Combine(_directory, "a"), _directory).ShouldBe(Path.Combine(_directory, "a"));
        LineOutputs.Resolve(_directory + "-other/a", _directory).ShouldBeNull();
    }

    private AccessLogCounts Counts() => new(_metrics, "test", "");

    private static async Task WriteAsync(LineOutput output, string line)
    {
        output.Add(Encoding.UTF8.GetBytes(line));
        await output.FlushAsync(default);
    }

    private sealed class StuckStream : MemoryStream
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public List<int> Writes { get; } = [];

        public void Release() => _released.TrySetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes.Add(buffer.Length);
            _reached.TrySetResult();
            await _released.Task.WaitAsync(cancellationToken);
            await base.WriteAsync(buffer, cancellationToken);
        }
    }

    private sealed class TestLogger : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Messages.Add(formatter(state, exception));
    }
}
