using System.Globalization;
using Mesh.DataPlane.Retry;

namespace Mesh.DataPlane.Tests.Retry;

public class BackOffTests
{
    [Theory]
    [InlineData(1, 25)]
    [InlineData(2, 50)]
    [InlineData(3, 100)]
    [InlineData(4, 200)]
    [InlineData(5, 250)]
    [InlineData(50, 250)]
    public void Each_retry_waits_any_time_below_twice_the_one_before_up_to_the_maximum(uint retry, int bound)
    {
        BackOff.Default.Before(retry, 0).ShouldBe(TimeSpan.Zero);
        BackOff.Default.Before(retry, ulong.MaxValue / 2).ShouldBe(TimeSpan.FromMilliseconds(bound / 2.0), TimeSpan.FromTicks(2));
        BackOff.Default.Before(retry, ulong.MaxValue).ShouldBe(TimeSpan.FromMilliseconds(bound), TimeSpan.FromTicks(2));
    }

    [Theory]
    [InlineData("retry-after", "10", 10)]
    [InlineData("x-reset", "1000000030", 30)]
    [InlineData("retry-after", "301", null)]
    [InlineData("retry-after", "0", null)]
    [InlineData("retry-after", "-1", null)]
    [InlineData("retry-after", "soon", null)]
    [InlineData("x-reset", "999999999", null)]
    [InlineData("x-other", "10", null)]
    public void An_upstream_asks_for_its_own_time(string header, string value, int? expected)
    {
        var backOff = new RateLimitedBackOff([new("retry-after", false), new("x-reset", true)], TimeSpan.FromSeconds(300));
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation(header, value);

        backOff.Before(response, now, 0).ShouldBe(expected is { } seconds ? TimeSpan.FromSeconds(seconds) : null);

        // Up to half as long again.
        backOff.Before(response, now, ulong.MaxValue)?.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)
            .ShouldBe((expected * 1.5)?.ToString("0.###", CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Conditions_are_read_as_Envoy_writes_them_and_the_unknown_are_told()
    {
        var unknown = new List<string>();

        RetryOnParser.Parse(" 5xx, connect-failure ,unavailable,,503,no-such ", unknown)
            .ShouldBe(RetryOn.ServerError | RetryOn.ConnectFailure | RetryOn.GrpcUnavailable);

        unknown.ShouldBe(["503", "no-such"]);
    }
}
