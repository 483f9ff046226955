namespace Mesh.Testing.Tests;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Two_timers_that_are_due_at_once_at_the_very_start_both_fire()
    {
        var clock = new ManualTimeProvider();
        var fired = 0;
        using var first = clock.CreateTimer(_ => fired++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        using var second = clock.CreateTimer(_ => fired++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.Zero);
        fired.ShouldBe(2);
    }

    [Fact]
    public void Stands_still_until_it_is_moved()
    {
        var start = _time.GetUtcNow();
        var stamp = _time.GetTimestamp();

        _time.GetUtcNow().ShouldBe(start);
        _time.Advance(TimeSpan.FromMilliseconds(1500));

        _time.GetUtcNow().ShouldBe(start.AddMilliseconds(1500));
        _time.GetElapsedTime(stamp).ShouldBe(TimeSpan.FromMilliseconds(1500));
    }

    [Fact]
    public void Fires_timers_in_the_order_in_which_they_are_due()
    {
        var fired = new List<string>();
        using var late = Timer("late", 3);
        using var first = Timer("first of two", 1);
        using var second = Timer("second of two", 1);
        using var never = Timer("never", 10);

        _time.Advance(TimeSpan.FromSeconds(5));

        fired.ShouldBe(["first of two at 1", "second of two at 1", "late at 3"]);
        _time.ActiveTimers.ShouldBe(1);

        ITimer Timer(string name, int seconds)
        {
            var start = _time.GetUtcNow();
            return _time.CreateTimer(
                _ => fired.Add($"{name} at {(_time.GetUtcNow() - start).TotalSeconds}"), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
        }
    }

    [Fact]
    public void Fires_what_a_timer_sets_and_what_repeats()
    {
        var fired = new List<string>();
        ITimer? inner = null;
        using var outer = _time.CreateTimer(
            _ => inner = _time.CreateTimer(_ => fired.Add("inner"), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan),
            null,
            TimeSpan.FromSeconds(1),
            Timeout.InfiniteTimeSpan);
        using var beat = _time.CreateTimer(_ => fired.Add("beat"), null, TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1));

        _time.Advance(TimeSpan.FromSeconds(3));

        fired.ShouldBe(["beat", "inner", "beat"]);
        inner!.Dispose();
    }

    [Fact]
    public async Task Drives_delays_timeouts_and_cancellation()
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(1), _time);
        var timeout = new TaskCompletionSource().Task.WaitAsync(TimeSpan.FromSeconds(2), _time);

        _time.Advance(TimeSpan.FromSeconds(1));
        cancel.IsCancellationRequested.ShouldBeTrue();
        timeout.IsCompleted.ShouldBeFalse();

        _time.Advance(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<TimeoutException>(timeout);
    }

    [Fact]
    public void Does_not_fire_a_timer_that_was_stopped_or_disposed()
    {
        var fired = 0;
        using var stopped = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        var disposed = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan).ShouldBeTrue();
        disposed.Dispose();

        _time.Advance(TimeSpan.FromSeconds(5));

        fired.ShouldBe(0);
        disposed.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan).ShouldBeFalse();
        _time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Tells_when_enough_timers_are_waiting()
    {
        var two = _time.WaitForTimersAsync(2);
        using var first = _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        two.IsCompleted.ShouldBeFalse();
        using var second = _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        await two.WaitAsync(Guard.Time);
    }

    [Fact]
    public void A_test_may_wait_for_the_one_timer_that_it_is_about()
    {
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        _time.WaitForTimerAsync(TimeSpan.FromSeconds(5)).IsCompleted.ShouldBeTrue();

        _time.Advance(TimeSpan.FromMilliseconds(1));
        var five = _time.WaitForTimerAsync(TimeSpan.FromSeconds(5));
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        five.IsCompleted.ShouldBeFalse();
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        five.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public void So_many_timers_of_one_moment_are_not_mistaken_for_others()
    {
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        var two = _time.WaitForTimersAsync(2, TimeSpan.FromSeconds(5));
        two.IsCompleted.ShouldBeFalse();
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        two.IsCompleted.ShouldBeFalse();
        _time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);

        two.IsCompleted.ShouldBeTrue();
        _time.WaitForTimersAsync(2, TimeSpan.FromSeconds(5)).IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task Whoever_waits_for_one_timer_may_give_up()
    {
        using var giveUp = new CancellationTokenSource();
        var waiting = _time.WaitForTimerAsync(TimeSpan.FromSeconds(5), giveUp.Token);
        await giveUp.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    [Fact]
    public void Never_goes_back() => Should.Throw<ArgumentOutOfRangeException>(() => _time.Advance(TimeSpan.FromTicks(-1)));
}
