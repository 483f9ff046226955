using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Dns;
using Mesh.TestNet.Dns;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>Whatever a server sends is read or refused, in time that its length bounds.</summary>
public sealed class DnsResponsePropertyTests
{
    private const string Name = "reviews.example.";
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(5_000).WithEndSize(300);

    private static readonly byte[][] Lawful =
    [
        DnsPacket.Response(7, Name, DnsPacket.A, answers: 2, authorities: 1, additional: 1)
            .Alias(Name, "b.example").Address("b.example", "10.0.0.1").Zone("example", 60, 30).U8(0).U16(DnsPacket.Opt).U16(1232).U32(0).U16(0).ToArray(),
        DnsPacket.Response(7, Name, DnsPacket.Aaaa, answers: 2).Pointer(12).U16(5).U16(1).U32(9).U16(4).U8(1).U8(97).Pointer(20).Address("a.example", "::1").ToArray(),
    ];

    [Fact]
    public void Any_bytes_are_read_or_refused() => Check.One(Thorough, Prop.ForAll(Arb.From(Bytes), Survives));

    [Fact]
    public void Any_bytes_behind_a_lawful_header_are_read_or_refused()
        => Check.One(Thorough, Prop.ForAll(
            Arb.From(from counts in Gen.ArrayOf(Gen.Choose(0, 4), 3) from rest in Bytes select (counts, rest)),
            x => Survives([.. DnsPacket.Header(7, 0x8180, 1, x.counts[0], x.counts[1], x.counts[2]).ToArray(), .. x.rest])));

    [Fact]
    public void A_damaged_answer_is_read_or_refused() => Check.One(Thorough, Prop.ForAll(Arb.From(Damaged), Survives));

    [Fact]
    public void A_name_that_is_written_is_read_as_it_was()
        => Check.One(Thorough, Prop.ForAll(Arb.From(Host), host =>
        {
            Span<byte> bytes = stackalloc byte[256];
            var written = DnsName.Write(host, bytes);
            var position = 0;
            return DnsName.Read(bytes[..written], ref position) == host.ToLowerInvariant() + "." && position == written;
        }));

    // Small numbers make labels and lengths that fit; 192 and above make pointers.
    private static Gen<byte[]> Bytes => Gen.ArrayOf(Gen.Frequency(
        (3, Gen.Choose(0, 12)),
        (2, Gen.Choose(0, 255)),
        (1, Gen.Constant(0xC0))).Select(i => (byte)i));

    private static Gen<byte[]> Damaged =>
        from message in Gen.Elements(Lawful)
        from damage in Gen.ArrayOf(Gen.Zip(Gen.Choose(0, message.Length - 1), Gen.Choose(0, 255)), 4)
        from length in Gen.Choose(0, message.Length)
        from cut in Gen.Elements(false, false, true)
        select Damage(message, damage, cut ? length : message.Length);

    private static Gen<string> Host => Gen.Choose(1, 63)
        .SelectMany(n => Gen.ArrayOf(Gen.Elements("abcXYZ019-_".ToCharArray()), n).Select(c => new string(c)))
        .SelectMany(label => Gen.Choose(1, 3).Select(n => string.Join('.', Enumerable.Repeat(label, n))));

    private static byte[] Damage(byte[] message, (int At, int Value)[] damage, int length)
    {
        byte[] damaged = [.. message];
        foreach (var (at, value) in damage)
        {
            damaged[at] = (byte)value;
        }

        return damaged[..length];
    }

    private static bool Survives(byte[] message)
    {
        try
        {
            var response = DnsResponse.Parse(message);
            DnsAnswer.Of(response, response.Question);
            response.Records.Count.ShouldBeLessThanOrEqualTo(message.Length / 11);
        }
        catch (DnsFormatException)
        {
            // Refused.
        }

        return true;
    }
}
