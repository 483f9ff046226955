using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.TestNet.Dns;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>What is read of a server's message, and what is refused.</summary>
public sealed class DnsResponseTests
{
    private const string Name = "reviews.example.";

    [Fact]
    public void Addresses_come_in_the_order_of_the_answer_with_their_least_time_to_live()
    {
        var answer = Answer(Response(3).Address(Name, "10.0.0.2", 90).Address(Name, "10.0.0.1", 30).Address(Name, "10.0.0.3", 60));

        answer.Addresses.ShouldBe([IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.3")]);
        answer.TimeToLive.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Names_are_compressed_by_pointers_to_earlier_places()
    {
        var packet = Response(1).Pointer(12).U16(DnsPacket.A).U16(1).U32(60).U16(4).Bytes(10, 0, 0, 1);

        Answer(packet).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
    }

    [Fact]
    public void An_alias_may_end_in_a_pointer()
    {
        // www -> (eu + the question's own name)
        var packet = Response(2).Pointer(12).U16(DnsPacket.CName).U16(1).U32(60).U16(5).U8(2).Bytes("eu"u8).Pointer(12);
        packet.Address("eu." + Name, "10.0.0.1");

        Answer(packet).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
    }

    [Fact]
    public void Aliases_are_followed_in_whatever_order_they_come_and_hold_as_long_as_the_shortest_of_them()
    {
        var answer = Answer(Response(3).Address("c.example", "10.0.0.1", 300).Alias("b.example", "c.example", 20).Alias(Name, "b.example", 100));

        answer.Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
        answer.TimeToLive.ShouldBe(TimeSpan.FromSeconds(20));
        answer.Name.ShouldBe("c.example.");
    }

    [Fact]
    public void Records_of_other_names_do_not_count()
        => Answer(Response(2).Address("evil.example", "6.6.6.6").Address(Name, "10.0.0.1")).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);

    [Fact]
    public void Names_compare_without_case() => Answer(Response(1).Address("REVIEWS.Example", "10.0.0.1")).Addresses.Count.ShouldBe(1);

    [Fact]
    public void Records_of_other_types_and_classes_do_not_count()
    {
        var packet = Response(3).Address(Name, "::1").Name(Name).U16(16).U16(1).U32(60).U16(2).Bytes(1, (byte)'x');
        packet.Name(Name).U16(DnsPacket.A).U16(3).U32(60).U16(4).Bytes(10, 0, 0, 1);

        Answer(packet).Addresses.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(300u, 30u, 30)]
    [InlineData(10u, 900u, 10)]
    public void That_there_is_nothing_holds_as_long_as_the_zone_says(uint ttl, uint minimum, int seconds)
    {
        var answer = Answer(DnsPacket.Response(7, Name, DnsPacket.A, authorities: 1, more: 3).Zone("example", ttl, minimum));

        answer.IsNoName.ShouldBeTrue();
        answer.TimeToLive.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void An_alias_without_addresses_leads_on_unless_the_zone_says_that_there_are_none()
    {
        Answer(Response(1).Alias(Name, "b.example")).IsUnfinished.ShouldBeTrue();
        Answer(DnsPacket.Response(7, Name, DnsPacket.A, answers: 1, authorities: 1).Alias(Name, "b.example").Zone("example", 60, 60)).IsUnfinished.ShouldBeFalse();
    }

    [Fact]
    public void A_time_to_live_with_its_upper_bit_set_is_zero() => Answer(Response(1).Address(Name, "10.0.0.1", 0x80000000)).TimeToLive.ShouldBe(TimeSpan.Zero);

    [Fact]
    public void A_time_to_live_is_at_most_a_week() => Answer(Response(1).Address(Name, "10.0.0.1", int.MaxValue)).TimeToLive.ShouldBe(TimeSpan.FromDays(7));

    [Fact]
    public void The_code_has_upper_bits_in_the_OPT_record()
    {
        var packet = DnsPacket.Response(7, Name, DnsPacket.A, additional: 1).U8(0).U16(DnsPacket.Opt).U16(1232).U32(0x01000000).U16(0);

        DnsResponse.Parse(packet.ToArray()).Code.ShouldBe(DnsResponseCode.BadVersion);
    }

    [Fact]
    public void A_truncated_message_is_read_to_its_question_only()
        => DnsResponse.Parse(DnsPacket.Response(7, Name, DnsPacket.A, answers: 200, more: 0x0200).ToArray()).IsTruncated.ShouldBeTrue();

    [Fact]
    public void Aliases_in_a_circle() => Should.Throw<DnsFormatException>(() => Answer(Response(2).Alias(Name, "b.example").Alias("b.example", Name)));

    [Fact]
    public void More_aliases_than_anybody_has()
    {
        var packet = Response(18).Alias(Name, "a0.example");
        for (var i = 0; i < 17; i++)
        {
            packet.Alias($"a{i}.example", $"a{i + 1}.example");
        }

        Should.Throw<DnsFormatException>(() => Answer(packet));
    }

    public static TheoryData<string, byte[]> Malformed() => new()
    {
        { "nothing", [] },
        { "half a header", DnsPacket.Header(7, 0x8180).ToArray()[..11] },
        { "a question", DnsPacket.Header(7, 0x0100).Name(Name).U16(1).U16(1).ToArray() },
        { "another operation", DnsPacket.Header(7, 0xA800).Name(Name).U16(1).U16(1).ToArray() },
        { "no question", DnsPacket.Header(7, 0x8180, questions: 0).ToArray() },
        { "two questions", DnsPacket.Header(7, 0x8180, questions: 2).Name(Name).U16(1).U16(1).Name(Name).U16(1).U16(1).ToArray() },
        { "another class", DnsPacket.Header(7, 0x8180).Name(Name).U16(1).U16(3).ToArray() },
        { "a question without its type", DnsPacket.Header(7, 0x8180).Name(Name).ToArray() },
        { "records that are announced only", Response(1000).ToArray() },
        { "65,535 of everything", DnsPacket.Response(7, Name, 1, 65535, 65535, 65535).ToArray() },
        { "a pointer to itself", DnsPacket.Header(7, 0x8180).Pointer(12).U16(1).U16(1).ToArray() },
        { "a pointer forwards", DnsPacket.Header(7, 0x8180).Pointer(14).Name(Name).U16(1).U16(1).ToArray() },
        { "pointers in a circle", DnsPacket.Header(7, 0x8180).U8(1).U8(97).Pointer(12).U16(1).U16(1).ToArray() },
        { "half a pointer", DnsPacket.Header(7, 0x8180).U8(0xC0).ToArray() },
        { "a label of an unknown kind", DnsPacket.Header(7, 0x8180).U8(0x40).U8(0).U16(1).U16(1).ToArray() },
        { "a label over the end", DnsPacket.Header(7, 0x8180).U8(63).Bytes("abc"u8).ToArray() },
        { "a name of 256 bytes", DnsPacket.Header(7, 0x8180).Name(string.Join('.', Enumerable.Repeat(new string('a', 50), 5))).U16(1).U16(1).ToArray() },
        { "an address of five bytes", Response(1).Name(Name).U16(1).U16(1).U32(60).U16(5).Bytes(1, 2, 3, 4, 5).ToArray() },
        { "data over the end", Response(1).Name(Name).U16(1).U16(1).U32(60).U16(400).Bytes(1, 2, 3, 4).ToArray() },
        { "a record without its numbers", Response(1).Name("a.very.long.name.that.pretends.to.be.a.record").U16(1).ToArray() },
        { "an alias that does not fill its data", Response(1).Name(Name).U16(5).U16(1).U32(60).U16(4).Bytes(1, (byte)'a', 0, 0).ToArray() },
        { "a zone without its numbers", DnsPacket.Response(7, Name, 1, authorities: 1).Name("e").U16(6).U16(1).U32(60).U16(2).Bytes(0, 0).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Refuses(string what, byte[] message) => Should.Throw<DnsFormatException>(() => DnsResponse.Parse(message), what);

    [Fact]
    public void A_name_may_have_255_bytes_and_no_more()
    {
        var longest = string.Join('.', [new string('a', 63), new string('b', 63), new string('c', 63), new string('d', 61)]);

        DnsName.IsHost(longest).ShouldBeTrue();
        DnsName.IsHost(longest + "e").ShouldBeFalse();
        DnsRequest.Write(1, DnsQuestion.Create(longest, DnsRecordType.A), extended: true).Length.ShouldBe(12 + 255 + 4 + 11);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("a..b", false)]
    [InlineData(".a", false)]
    [InlineData("a b", false)]
    [InlineData("bücher.example", false)]
    [InlineData("a.b.", true)]
    [InlineData("_sip._tcp.example", true)]
    [InlineData("a", true)]
    public void A_host_is_made_of_labels(string text, bool isHost) => DnsName.IsHost(text).ShouldBe(isHost);

    [Fact]
    public void A_dot_within_a_label_is_not_a_dot_between_labels()
    {
        var position = 0;
        DnsName.Read(new DnsPacket().U8(3).Bytes("a.b"u8).U8(0).ToArray(), ref position).ShouldBe("a\\046b.");
        position.ShouldBe(5);
    }

    private static DnsPacket Response(int answers) => DnsPacket.Response(7, Name, DnsPacket.A, answers);

    private static DnsAnswer Answer(DnsPacket packet)
    {
        var response = DnsResponse.Parse(packet.ToArray());
        response.IsAnswerTo(7, new DnsQuestion(Name, DnsRecordType.A)).ShouldBeTrue();
        return DnsAnswer.Of(response, response.Question);
    }
}
