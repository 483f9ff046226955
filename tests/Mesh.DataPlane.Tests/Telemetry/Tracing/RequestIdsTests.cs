using Mesh.DataPlane.Telemetry.Tracing;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class RequestIdsTests
{
    [Fact]
    public void A_new_id_is_a_random_uuid_that_nobody_traces()
    {
        var id = RequestIds.Create(SystemRandomSource.Instance);

        Guid.ParseExact(id, "D").Version.ShouldBe(4);
        id[19].ShouldBeOneOf('8', '9', 'a', 'b');
        RequestIds.ReasonOf(id).ShouldBe(TraceReason.NotTraceable);
        RequestIds.Create(SystemRandomSource.Instance).ShouldNotBe(id);
    }

    [Theory]
    [InlineData("ServiceForced", '9')]
    [InlineData("Sampling", 'a')]
    [InlineData("ClientForced", 'b')]
    [InlineData("NotTraceable", '4')]
    public void An_id_tells_why_its_request_is_traced(string name, char digit)
    {
        var reason = Enum.Parse<TraceReason>(name);
        var id = RequestIds.With("cd30da12-ee24-9429-b188-2d494017c083", reason);

        id.ShouldBe($"cd30da12-ee24-{digit}429-b188-2d494017c083");
        RequestIds.ReasonOf(id).ShouldBe(reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("order-4711")]
    [InlineData("cd30da12-ee24-a429-b188-2d494017c083-and-more")]
    public void An_id_of_somebody_else_says_nothing_and_stays(string id)
    {
        RequestIds.ReasonOf(id).ShouldBe(TraceReason.NotTraceable);
        RequestIds.With(id, TraceReason.Sampling).ShouldBe(id);
    }

    [Theory]
    [InlineData("0000000a-1111-4111-8111-111111111111", 10u)]
    [InlineData("ffffffff", uint.MaxValue)]
    public void The_first_digits_decide_by_chance(string id, uint number)
    {
        RequestIds.TryGetNumber(id, out var found).ShouldBeTrue();
        found.ShouldBe(number);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1234567")]
    [InlineData("order-47-11")]
    public void What_does_not_begin_with_digits_decides_nothing(string? id) => RequestIds.TryGetNumber(id, out _).ShouldBeFalse();
}
