using Mesh.DataPlane.Filters.LocalRateLimit;
using Mesh.Testing;
using Shouldly;
using Xunit;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class TokenBucketTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Begins_full_and_never_holds_more()
    {
        var bucket = new TokenBucket(3, 3, TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromDays(400));

        Take(bucket, 10).ShouldBe(3);
        _time.Advance(TimeSpan.FromDays(400));
        Take(bucket, 10).ShouldBe(3);
    }

    [Fact]
    public void Fills_evenly()
    {
        var bucket = new TokenBucket(10, 10, TimeSpan.FromSeconds(60));
        Take(bucket, 20).ShouldBe(10);

        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromTicks(TimeSpan.FromSeconds(6).Ticks - 1));
            Take(bucket, 1).ShouldBe(0);
            bucket.NextToken(_time).ShouldBe(TimeSpan.FromTicks(1));
            _time.Advance(TimeSpan.FromTicks(1));
            Take(bucket, 2).ShouldBe(1);
            bucket.NextToken(_time).ShouldBe(TimeSpan.FromSeconds(6));
        }
    }

    [Theory]
    [InlineData(1u, 1u, 50)]
    [InlineData(7u, 3u, 1000)]
    [InlineData(1000u, 1000u, 1000)]
    [InlineData(1_000_000u, 999_983u, 1000)]
    public void Gives_what_its_rate_says_over_an_hour(uint max, uint perFill, int milliseconds)
    {
        var bucket = new TokenBucket(max, perFill, TimeSpan.FromMilliseconds(milliseconds));
        var taken = (double)max;
        bucket.TryTake(_time, max).ShouldBeTrue();

        // Taken in halves of what it can hold, so that nothing flows over.
        var step = TimeSpan.FromMilliseconds(milliseconds * (double)max / perFill / 2);
        var steps = (int)(TimeSpan.FromHours(1) / step);
        steps = Math.Min(steps, 100_000);
        for (var i = 0; i < steps; i++)
        {
            _time.Advance(step);
            var there = (ulong)bucket.Remaining(_time);
            bucket.TryTake(_time, there).ShouldBeTrue();
            taken += there;
        }

        var expected = max + (steps * (step.TotalMilliseconds / milliseconds) * perFill);
        taken.ShouldBeInRange(expected - 1 - (expected / 50_000), expected + 1 + (expected / 50_000));
    }

    [Fact]
    public void Gives_all_or_nothing()
    {
        var bucket = new TokenBucket(5, 1, TimeSpan.FromSeconds(1));

        bucket.TryTake(_time, 6).ShouldBeFalse();
        bucket.TryTake(_time, 4).ShouldBeTrue();
        bucket.TryTake(_time, 2).ShouldBeFalse();
        bucket.Remaining(_time).ShouldBe(1);
    }

    [Fact]
    public void A_bucket_that_holds_nothing_refuses_everything()
        => new TokenBucket(0, 1, TimeSpan.FromSeconds(1)).TryTake(_time).ShouldBeFalse();

    [Fact]
    public void Many_threads_get_exactly_as_many_tokens_as_there_are()
    {
        var bucket = new TokenBucket(10_000, 1, TimeSpan.FromHours(1));
        var taken = 0;

        Parallel.For(0, 20_000, _ =>
        {
            if (bucket.TryTake(_time))
            {
                Interlocked.Increment(ref taken);
            }
        });

        taken.ShouldBe(10_000);
    }

    private int Take(TokenBucket bucket, int attempts)
    {
        var taken = 0;
        for (var i = 0; i < attempts; i++)
        {
            taken += bucket.TryTake(_time) ? 1 : 0;
        }

        return taken;
    }
}
