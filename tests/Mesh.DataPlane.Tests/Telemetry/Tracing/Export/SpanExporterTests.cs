using Mesh.DataPlane.Telemetry.Tracing.Export;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

public sealed class SpanExporterTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Sends_what_came_within_the_interval_at_once()
    {
        var sender = new RecordingSender();
        using var exporter = Exporter(sender);
        exporter.Add(Spans.Of("1"));
        exporter.Add(Spans.Of("2"));

        var batch = await NextAsync(sender);

        batch.Select(span => span.Name).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task A_full_batch_does_not_wait()
    {
        var sender = new RecordingSender();
        using var exporter = Exporter(sender);
        for (var i = 0; i < SpanExporter.MaxBatch; i++)
        {
            exporter.Add(Spans.Of());
        }

        // The clock stands still.
        (await sender.NextAsync()).Count.ShouldBe(SpanExporter.MaxBatch);
    }

    [Fact]
    public async Task A_collector_that_does_not_answer_costs_spans_and_nothing_else()
    {
        var never = new TaskCompletionSource<int>();
        var sender = new RecordingSender((_, token) => never.Task.WaitAsync(token));
        using var exporter = Exporter(sender);
        exporter.Add(Spans.Of());
        (await NextAsync(sender)).Count.ShouldBe(1);

        for (var i = 0; i < SpanExporter.MaxQueued + 100; i++)
        {
            exporter.Add(Spans.Of());
        }

        exporter.Dropped.ShouldBe(100);
        exporter.Sent.ShouldBe(0);
    }

    [Fact]
    public async Task A_batch_that_fails_is_lost_and_the_next_one_is_tried()
    {
        var fails = true;
        var sender = new RecordingSender((_, _) => fails ? Task.FromException<int>(new HttpRequestException("no")) : Task.FromResult(0));
        using var exporter = Exporter(sender);
        exporter.Add(Spans.Of("lost"));
        await exporter.FlushAsync(default).WaitAsync(Hang);
        fails = false;
        exporter.Add(Spans.Of("sent"));
        await exporter.FlushAsync(default).WaitAsync(Hang);

        (exporter.Sent, exporter.Failed, exporter.Dropped).ShouldBe((1, 1, 0));
        (await sender.NextAsync()).Single().Name.ShouldBe("lost");
        (await sender.NextAsync()).Single().Name.ShouldBe("sent");
    }

    [Fact]
    public async Task What_a_collector_refuses_is_not_sent()
    {
        using var exporter = Exporter(new RecordingSender((spans, _) => Task.FromResult(spans.Count - 1)));
        exporter.Add(Spans.Of());
        exporter.Add(Spans.Of());
        exporter.Add(Spans.Of());
        await exporter.FlushAsync(default).WaitAsync(Hang);

        (exporter.Sent, exporter.Failed).ShouldBe((1, 2));
    }

    [Fact]
    public async Task A_flush_sends_what_waits()
    {
        var sender = new RecordingSender();
        using var exporter = Exporter(sender);
        exporter.Add(Spans.Of());

        await exporter.FlushAsync(default).WaitAsync(Hang);

        exporter.Sent.ShouldBe(1);
        exporter.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public async Task A_flush_of_nothing_is_done() => await Exporter(new RecordingSender()).FlushAsync(default).WaitAsync(Hang);

    [Fact]
    public async Task Lets_go_of_the_collector_when_nothing_comes_for_a_while_and_takes_it_up_again()
    {
        var sender = new RecordingSender();
        using var exporter = Exporter(sender);
        exporter.Add(Spans.Of());
        await NextAsync(sender);
        await _time.WaitForTimerAsync(TimeSpan.FromMinutes(1)).WaitAsync(Hang);
        sender.Sessions.ShouldBe(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        await sender.LetGo.WaitAsync(Hang);
        sender.Sessions.ShouldBe(0);

        exporter.Add(Spans.Of("later"));

        (await NextAsync(sender)).Single().Name.ShouldBe("later");
        sender.Sessions.ShouldBe(1);
    }

    // The pump waits on another thread: the clock goes no further than to the end of that wait.
    private async Task<IReadOnlyList<Mesh.DataPlane.Telemetry.Tracing.FinishedSpan>> NextAsync(RecordingSender sender)
    {
        await _time.WaitForTimerAsync(SpanExporter.FlushInterval).WaitAsync(Hang);
        _time.Advance(SpanExporter.FlushInterval);
        return await sender.NextAsync();
    }

    private SpanExporter Exporter(SpanSender sender) => new(sender, _time, NullLogger.Instance);
}
