using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Tests.Telemetry;

/// <summary>Messages of gRPC, counted as their bytes go by.</summary>
public class GrpcMessageCountTests
{
    [Fact]
    public void Messages_count_however_their_bytes_are_cut()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(
                Arb.From(from sizes in Gen.ArrayOf(Gen.Choose(0, 40)) from cuts in Gen.NonEmptyListOf(Gen.Choose(1, 12)) select (sizes, cuts.ToArray())),
                drawn => Count(GrpcFrames.Of(drawn.sizes), drawn.Item2) == drawn.sizes.Length));

    [Fact]
    public void A_message_counts_from_its_first_byte_on()
    {
        var count = new GrpcMessageCount();
        count.Pass(GrpcFrames.Of([3]));
        count.Messages.ShouldBe(1);

        count.Pass([0]);
        count.Messages.ShouldBe(2);
        count.Pass([0, 0, 0, 2, 9]);
        count.Messages.ShouldBe(2);
        count.Pass([9]);
        count.Messages.ShouldBe(2);
        count.Pass([1, 0]);
        count.Messages.ShouldBe(3);
    }

    [Fact]
    public void A_length_that_nobody_will_ever_send_is_one_message()
    {
        var count = new GrpcMessageCount();
        count.Pass([0, 0xFF, 0xFF, 0xFF, 0xFF]);
        for (var i = 0; i < 100; i++)
        {
            count.Pass(new byte[1000]);
        }

        count.Messages.ShouldBe(1);
    }

    private static long Count(ReadOnlySpan<byte> bytes, int[] cuts)
    {
        var count = new GrpcMessageCount();
        for (var i = 0; !bytes.IsEmpty; i++)
        {
            var length = Math.Min(bytes.Length, cuts[i % cuts.Length]);
            count.Pass(bytes[..length]);
            bytes = bytes[length..];
        }

        return count.Messages;
    }
}
