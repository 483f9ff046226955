using System.Diagnostics;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Telemetry.Tracing;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class TraceSamplerTests
{
    private static readonly TraceSampler Tenth = new TraceSampler.TraceIdRatio(new Fraction(10, 100));

    [Fact]
    public void A_share_is_of_the_traces_ids()
    {
        Tenth.Samples(default, Id("0000000000000000")).ShouldBeTrue();
        Tenth.Samples(default, Id("1900000000000000")).ShouldBeTrue();
        Tenth.Samples(default, Id("1a00000000000000")).ShouldBeFalse();
        Tenth.Samples(default, Id("ffffffffffffffff")).ShouldBeFalse();
    }

    [Fact]
    public void All_of_all_is_all() => new TraceSampler.TraceIdRatio(new Fraction(100, 100)).Samples(default, Id("ffffffffffffffff")).ShouldBeTrue();

    [Theory]
    [InlineData(ActivityTraceFlags.Recorded, true)]
    [InlineData(ActivityTraceFlags.None, false)]
    public void Follows_the_caller(ActivityTraceFlags flags, bool sampled)
    {
        var parent = new ActivityContext(Id("ffffffffffffffff"), ActivitySpanId.CreateRandom(), flags);

        new TraceSampler.ParentBased(Tenth).Samples(parent, parent.TraceId).ShouldBe(sampled);
    }

    [Fact]
    public void Without_a_caller_another_one_decides()
    {
        new TraceSampler.ParentBased(Tenth).Samples(default, Id("0000000000000000")).ShouldBeTrue();
        new TraceSampler.ParentBased(Tenth).Samples(default, Id("ffffffffffffffff")).ShouldBeFalse();
    }

    private static ActivityTraceId Id(string end) => ActivityTraceId.CreateFromString("0af7651916cd43dd" + end);
}
