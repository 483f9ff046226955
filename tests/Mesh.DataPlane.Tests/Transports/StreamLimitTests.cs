using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Transports;

public class StreamLimitTests
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private static readonly byte[] Ack = Frame(4, 1);
    private static readonly byte[] Data = Frame(0, 0, 1, 2, 3, 4, 5, 4, 1, 0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task The_first_number_is_ours_and_every_later_one_the_lesser(int chunk)
    {
        byte[] from = [.. Frame(4, 0, [.. Setting(4, 70_000), .. Setting(3, 250)]), .. Data, .. Ack, .. Frame(4, 0, Setting(3, 5)), .. Frame(4, 0), .. Data];
        byte[] expected = [.. Frame(4, 0, Setting(3, 100)), .. Frame(4, 0, [.. Setting(4, 70_000), .. Setting(3, 100)]), .. Data, .. Ack, .. Frame(4, 0, Setting(3, 5)), .. Frame(4, 0), .. Data];
        using var limit = new StreamLimit(new Chunks(from, chunk), 100);
        using var read = new MemoryStream();
        await limit.CopyToAsync(read);
        read.ToArray().ShouldBe(expected);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(24)]
    [InlineData(1000)]
    public async Task The_server_does_not_see_the_acknowledgement_of_what_it_has_not_sent(int chunk)
    {
        byte[] sent = [.. Preface, .. Frame(4, 0, Setting(2, 0)), .. Frame(8, 0, 0, 1, 0, 0), .. Data, .. Ack, .. Ack, .. Data];
        using var inner = new MemoryStream();
        using var limit = new StreamLimit(inner, 100);
        foreach (var part in sent.Chunk(chunk))
        {
            await limit.WriteAsync(part.AsMemory());
        }

        inner.ToArray().ShouldBe([.. Preface, .. Frame(4, 0, Setting(2, 0)), .. Frame(8, 0, 0, 1, 0, 0), .. Data, .. Ack, .. Data]);
    }

    [Fact]
    public async Task What_breaks_off_within_a_frame_is_passed_on()
    {
        using var limit = new StreamLimit(new Chunks(Frame(4, 0, Setting(3, 250))[..12], 5), 100);
        using var read = new MemoryStream();
        await limit.CopyToAsync(read);
        read.ToArray().ShouldBe([.. Frame(4, 0, Setting(3, 100)), .. Frame(4, 0, Setting(3, 250))[..12]]);
    }

    private static byte[] Frame(byte type, byte flags, params byte[] payload) => [0, 0, (byte)payload.Length, type, flags, 0, 0, 0, 0, .. payload];

    private static byte[] Setting(byte id, int value) => [0, id, (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    /// <summary>A stream that gives so many bytes at a time.</summary>
    private sealed class Chunks(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
