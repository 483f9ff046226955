using System.Runtime.CompilerServices;
using Mesh.DataPlane.Timeouts;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Timeouts;

public class RequestClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void The_earliest_deadline_ends_it_and_says_which_it_was()
    {
        var clock = RequestClock.Begin(_time, default);
        clock.Start(TimeoutCause.Route, 3 * Second);
        clock.Start(TimeoutCause.PerTry, 2 * Second);

        _time.Advance(1.999 * Second);
        clock.Token.IsCancellationRequested.ShouldBeFalse();
        _time.Advance(0.001 * Second);

        clock.Token.IsCancellationRequested.ShouldBeTrue();
        clock.Cause.ShouldBe(TimeoutCause.PerTry);
        clock.End();
    }

    [Fact]
    public void A_deadline_that_was_stopped_does_not_count()
    {
        var clock = RequestClock.Begin(_time, default);
        clock.Start(TimeoutCause.Route, 3 * Second);
        clock.Start(TimeoutCause.PerTry, 2 * Second);
        clock.Stop(TimeoutCause.PerTry);

        _time.Advance(2.5 * Second);
        clock.Token.IsCancellationRequested.ShouldBeFalse();
        _time.Advance(0.5 * Second);

        clock.Cause.ShouldBe(TimeoutCause.Route);
        clock.End();
    }

    [Fact]
    public void A_clock_that_is_used_again_owes_nothing_to_its_earlier_user()
    {
        for (var i = 0; i < 1000; i++)
        {
            var clock = RequestClock.Begin(_time, default);
            clock.Start(TimeoutCause.Route, 3 * Second);
            _time.Advance(2.9 * Second);
            clock.Token.IsCancellationRequested.ShouldBeFalse();
            clock.End();
        }
    }

    [Fact]
    public void The_timer_is_set_once_for_many_requests_that_keep_their_deadlines()
    {
        var time = new CountingTime();
        for (var i = 0; i < 1000; i++)
        {
            var clock = RequestClock.Begin(time, default);
            clock.Start(TimeoutCause.Route, TimeSpan.FromHours(1));
            clock.End();
        }

        time.Changes.ShouldBe(1);
    }

    [Fact]
    public void The_callers_token_ends_it_too()
    {
        using var caller = new CancellationTokenSource();
        var clock = RequestClock.Begin(_time, caller.Token);

        caller.Cancel();

        clock.Token.IsCancellationRequested.ShouldBeTrue();
        clock.Cause.ShouldBe(TimeoutCause.Caller);
        clock.End();
        var next = RequestClock.Begin(_time, default);
        next.ShouldNotBeSameAs(clock);
        next.Token.IsCancellationRequested.ShouldBeFalse();
        next.End();
    }

    [Fact]
    public void A_stream_that_moves_is_not_idle()
    {
        var clock = RequestClock.Begin(_time, default);
        clock.StartIdle(TimeoutCause.Idle, 2 * Second);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(1.5 * Second);
            clock.Token.IsCancellationRequested.ShouldBeFalse();
            clock.Touch();
        }

        _time.Advance(2 * Second);

        clock.Cause.ShouldBe(TimeoutCause.Idle);
        clock.End();
    }

    [Fact]
    public void What_waits_for_the_end_of_the_request_begins_with_it()
    {
        var clock = RequestClock.Begin(_time, default);
        clock.Prepare(3 * Second, 2 * Second);
        _time.Advance(100 * Second);
        clock.Token.IsCancellationRequested.ShouldBeFalse();

        clock.StartPending();
        _time.Advance(2 * Second);

        clock.Cause.ShouldBe(TimeoutCause.PerTry);
        clock.End();
    }

    [Fact]
    public async Task Clocks_that_begin_end_and_fire_at_the_same_time_never_end_the_wrong_request()
    {
        // Real time, so that timers meet clocks that are being used again: an hour never passes, a millisecond always does.
        var wrong = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var clock = RequestClock.Begin(TimeProvider.System, default);
                var isShort = (i + worker) % 7 == 0;
                clock.Start(TimeoutCause.Route, isShort ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromHours(1));
                if (i % 500 == 0)
                {
                    await Task.Yield();
                }

                if (!isShort && clock.Token.IsCancellationRequested)
                {
                    Interlocked.Increment(ref wrong);
                }

                clock.End();
            }
        })));

        wrong.ShouldBe(0);
    }

    [Fact]
    public async Task A_reader_that_is_cancelled_while_its_read_ends_never_ends_the_next_request()
    {
        // The callback of a token may be on its way when it is unregistered; the clock must not be somebody else's when it arrives.
        var wrong = 0;
        CancellationTokenSource? reader = null;
        using var done = new CancellationTokenSource();
        var cancelling = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                Interlocked.Exchange(ref reader, null)?.Cancel();
            }
        });
        await Task.Run(() =>
        {
            for (var i = 0; i < 100_000; i++)
            {
                var clock = RequestClock.Begin(TimeProvider.System, default);
                if (clock.Token.IsCancellationRequested)
                {
                    wrong++;
                }

                var source = new CancellationTokenSource();
                var registration = clock.CancelWith(source.Token);
                Volatile.Write(ref reader, source);
                for (var spins = 0; i % 3 != 0 && spins < 1000 && Volatile.Read(ref reader) is not null; spins++)
                {
                    Thread.SpinWait(1);
                }

                clock.Release(registration);
                clock.End();
                clock = RequestClock.Begin(TimeProvider.System, default);
                Thread.SpinWait(20);
                if (clock.Token.IsCancellationRequested)
                {
                    wrong++;
                }

                clock.End();
            }
        });
        await done.CancelAsync();
        await cancelling;

        wrong.ShouldBe(0);
    }

    [Fact]
    public void A_clock_that_was_collected_with_its_response_can_still_be_ended()
    {
        var found = new List<RequestClock>();
        Lose(found);

        for (var i = 0; i < 20 && found.Count == 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        // Everything that it holds has been finalized with it.
        found.ShouldHaveSingleItem().End(reuse: false);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Lose(List<RequestClock> found)
    {
        // Others may have left theirs on this thread.
        var thread = new Thread(() =>
        {
            var clock = RequestClock.Begin(TimeProvider.System, CancellationToken.None);
            var response = new LostResponse(clock, found);
            clock.Notify(response);
        });
        thread.Start();
        thread.Join();
    }

    private sealed class LostResponse(RequestClock clock, List<RequestClock> found) : RequestClock.IExpiring
    {
        ~LostResponse() => found.Add(clock);

        public void OnExpired()
        {
        }
    }

    private sealed class CountingTime : TimeProvider
    {
        public int Changes { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new CountingTimer(this);

        private sealed class CountingTimer(CountingTime time) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                time.Changes++;
                return true;
            }

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
