using Mesh.DataPlane.Telemetry.Tracing;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class B3ContextTests
{
    private const string Long = "463ac35c9f6413ad48485a3953bb6124";
    private const string Short = "48485a3953bb6124";
    private const string Span = "0020000000000001";

    [Theory]
    [InlineData($"{Long}-{Span}-1", Long, true)]
    [InlineData($"{Long}-{Span}-d", Long, true)]
    [InlineData($"{Long}-{Span}-0", Long, false)]
    [InlineData($"{Long}-{Span}", Long, null)]
    [InlineData($"{Short}-{Span}-1-00f067aa0ba902b7", "0000000000000000" + Short, true)]
    public void Reads_one_header(string value, string trace, bool? sampled)
    {
        B3Context.TryParse(value, out var context).ShouldBeTrue();

        context.HasIds.ShouldBeTrue();
        context.TraceId.ToHexString().ShouldBe(trace);
        context.SpanId.ToHexString().ShouldBe(Span);
        context.Sampled.ShouldBe(sampled);
    }

    [Theory]
    [InlineData("0", false)]
    [InlineData("1", true)]
    [InlineData("d", true)]
    public void Reads_a_decision_alone(string value, bool sampled)
    {
        B3Context.TryParse(value, out var context).ShouldBeTrue();

        context.HasIds.ShouldBeFalse();
        context.Sampled.ShouldBe(sampled);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("2")]
    [InlineData("-")]
    [InlineData("1-2-3")]
    [InlineData($"{Long}")]
    [InlineData($"{Long}-")]
    [InlineData($"{Long}-{Span}-")]
    [InlineData($"{Long}-{Span}-x")]
    [InlineData($"{Long}-{Span}-10")]
    [InlineData($"{Long}-{Span}-1-")]
    [InlineData($"{Long}-{Span}-1-xyz")]
    [InlineData($"{Long}-{Span}-1-00f067aa0ba902b7-1")]
    [InlineData($"00000000000000000000000000000000-{Span}-1")]
    [InlineData($"{Long}-0000000000000000-1")]
    [InlineData($"g63ac35c9f6413ad48485a3953bb6124-{Span}-1")]
    [InlineData($"463ac35c9f6413ad-{Span}x-1")]
    public void What_is_malformed_is_as_if_it_were_not_there(string value) => B3Context.TryParse(value, out _).ShouldBeFalse();

    [Theory]
    [InlineData(Long, Span, "1", "", true)]
    [InlineData(Long, Span, "0", "", false)]
    [InlineData(Long, Span, "true", "", true)]
    [InlineData(Long, Span, "d", "", true)]
    [InlineData(Long, Span, "", "", null)]
    [InlineData(Long, Span, "", "1", true)]
    [InlineData(Long, Span, "0", "1", true)]
    public void Reads_several_headers(string trace, string span, string sampled, string flags, bool? expected)
    {
        B3Context.TryParse(trace, span, sampled, flags, out var context).ShouldBeTrue();

        context.TraceId.ToHexString().ShouldBe(Long);
        context.Sampled.ShouldBe(expected);
    }

    [Theory]
    [InlineData(Long, "", "1", "")]
    [InlineData("", Span, "1", "")]
    [InlineData(Long, Span, "maybe", "")]
    [InlineData("", "", "", "")]
    [InlineData("", "", "", "0")]
    public void Several_headers_that_say_nothing_whole_say_nothing(string trace, string span, string sampled, string flags)
        => B3Context.TryParse(trace, span, sampled, flags, out _).ShouldBeFalse();

    [Fact]
    public void A_trace_of_64_bits_stays_one()
    {
        B3Context.TryParse($"{Short.ToUpperInvariant()}-{Span}", out var context).ShouldBeTrue();

        B3Context.Text(context.TraceId).ShouldBe(Short);
    }
}
