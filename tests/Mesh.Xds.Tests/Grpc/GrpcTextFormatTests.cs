using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Grpc;

public class GrpcTextFormatTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100 % sûr\n", "100 %25 s%C3%BBr%0A")]
    public void Percent_encodes_the_status_message_and_reads_it_back(string message, string encoded)
    {
        GrpcStatusMessage.Encode(message).ShouldBe(encoded);
        GrpcStatusMessage.Decode(encoded).ShouldBe(message);
    }

    [Theory]
    [InlineData("50%")]
    [InlineData("50%zz")]
    [InlineData("%4")]
    public void Leaves_an_invalid_escape_as_it_is(string value) => GrpcStatusMessage.Decode(value).ShouldBe(value);

    [Theory]
    [InlineData(0, "0u")]
    [InlineData(1, "1u")]
    [InlineData(15_000_000L, "1500000u")]
    [InlineData(10L * 60 * 10_000_000, "600000m")]
    [InlineData(30L * 24 * 3600 * 10_000_000, "2592000S")]
    public void Writes_a_timeout_in_at_most_eight_digits(long ticks, string text)
    {
        GrpcTimeout.Format(TimeSpan.FromTicks(ticks)).ShouldBe(text);
        GrpcTimeout.TryParse(text, out var parsed).ShouldBeTrue();
        parsed.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromTicks(ticks));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("123456789m")]
    [InlineData("-1m")]
    [InlineData("5x")]
    public void Refuses_a_malformed_timeout(string text) => GrpcTimeout.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void The_longest_timeout_does_not_overflow()
    {
        GrpcTimeout.TryParse("99999999H", out var parsed).ShouldBeTrue();
        parsed.ShouldBe(TimeSpan.FromHours(99_999_999));
        GrpcTimeout.Format(TimeSpan.MaxValue).Length.ShouldBeLessThanOrEqualTo(9);
    }

    [Fact]
    public void Metadata_carries_binary_values_as_base64_with_or_without_padding()
    {
        var metadata = new GrpcMetadata { { "Trace-Bin", [1, 2, 3, 4] } };
        metadata.Get("trace-bin").ShouldBe("AQIDBA==");
        var received = new GrpcMetadata();
        received.AddReceived("trace-bin", "AQIDBA");
        received.GetBinary("trace-bin").ShouldBe([1, 2, 3, 4]);
    }

    [Theory]
    [InlineData("grpc-status", "1")]
    [InlineData("with space", "1")]
    [InlineData("x", "line\nbreak")]
    [InlineData("x-bin", "text")]
    public void Metadata_refuses_what_would_not_travel(string name, string value)
        => Should.Throw<ArgumentException>(() => new GrpcMetadata().Add(name, value));
}
