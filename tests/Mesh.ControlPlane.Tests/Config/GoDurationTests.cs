using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Mesh.ControlPlane.Config.Reading;

namespace Mesh.ControlPlane.Tests.Reading;

public class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("-0", 0)]
    [InlineData("3s", 3_000_000_000)]
    [InlineData("1h2m3.5s", 3_723_500_000_000)]
    [InlineData("100ms", 100_000_000)]
    [InlineData("1.5h", 5_400_000_000_000)]
    [InlineData(".5s", 500_000_000)]
    [InlineData("1.s", 1_000_000_000)]
    [InlineData("-1m", -60_000_000_000)]
    [InlineData("+1us", 1_000)]
    [InlineData("1\u00b5s", 1_000)]
    [InlineData("1\u03bcs", 1_000)]
    [InlineData("7ns", 7)]
    [InlineData("0.0000000019s", 1)]
    [InlineData("1s1s", 2_000_000_000)]
    [InlineData("0.333333333333333333333s", 333_333_333)]
    [InlineData("-9223372036854775808ns", long.MinValue)]
    [InlineData("9223372036854775807ns", long.MaxValue)]
    public void Reads_what_go_reads(string text, long nanoseconds)
    {
        GoDuration.TryParse(text, out var value).ShouldBeTrue();
        value.ShouldBe(nanoseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("-")]
    [InlineData("s")]
    [InlineData(".s")]
    [InlineData("1d")]
    [InlineData("1 s")]
    [InlineData(" 1s")]
    [InlineData("1S")]
    [InlineData("1e3s")]
    [InlineData("--1s")]
    [InlineData("9223372036854775808ns")]
    [InlineData("3000000h")]
    [InlineData("99999999999999999999999999999999999999999s")]
    public void Refuses_what_go_refuses(string text) => GoDuration.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void What_is_written_term_by_term_is_read_as_its_sum()
    {
        var numbers = Gen.Choose(0, 2_000_000).ToArbitrary();
        Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 100_000), 6).ToArbitrary(), numbers, (terms, fraction) =>
        {
            string[] units = ["h", "m", "s", "ms", "us", "ns"];
            long[] sizes = [3_600_000_000_000, 60_000_000_000, 1_000_000_000, 1_000_000, 1_000, 1];
            var text = string.Concat(terms.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"{t}{units[i]}"))) + string.Create(CultureInfo.InvariantCulture, $"0.{fraction:D7}s");
            var expected = terms.Select((t, i) => t * sizes[i]).Sum() + (fraction * 100L);
            return GoDuration.TryParse(text, out var value) && value == expected && GoDuration.TryParse("-" + text, out var negative) && negative == -expected;
        }).QuickCheckThrowOnFailure();
    }
}
