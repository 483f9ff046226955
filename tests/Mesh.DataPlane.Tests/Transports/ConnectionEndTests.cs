using System.Text;
using Mesh.DataPlane.Transports;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Transports;

public sealed class ConnectionEndTests
{
    private static readonly byte[] GoAway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
    private static readonly byte[] Settings = Frame(4, 0);
    private static readonly byte[] Data = Frame(0, 0, 1, 2, 3);
    private static readonly byte[] Headers = Frame(1, 0, 1);
    private static readonly byte[] Continuation = Frame(9, 4, 2);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void HTTP2_is_told_between_two_frames_when_the_time_is_over_and_once()
    {
        using var end = new ConnectionEnd(served: null, isHttp2: true, TimeSpan.FromHours(1), _time);
        Read(end, Settings, Data).ShouldBe([.. Settings, .. Data]);
        _time.Advance(TimeSpan.FromHours(1));

        Read(end, Data, Data).ShouldBe([.. GoAway, .. Data, .. Data]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(11)]
    public void HTTP2_is_not_told_within_a_frame_nor_within_a_block_of_headers_nor_before_the_settings(int chunk)
    {
        using var end = new ConnectionEnd(served: null, isHttp2: true, TimeSpan.Zero, _time);
        _time.Advance(TimeSpan.FromSeconds(1));

        var read = Read(end, [.. ((byte[])[.. Settings, .. Headers, .. Continuation, .. Data]).Chunk(chunk)]);

        var at = read.AsSpan().IndexOf(GoAway);
        new[] { Settings.Length, Settings.Length + Headers.Length + Continuation.Length, Settings.Length + Headers.Length + Continuation.Length + Data.Length }.ShouldContain(at);
        ((byte[])[.. read[..at], .. read[(at + GoAway.Length)..]]).ShouldBe([.. Settings, .. Headers, .. Continuation, .. Data]);
    }

    [Fact]
    public void HTTP1_ends_after_the_response_to_the_next_request_whose_answer_is_seen()
    {
        using var end = new ConnectionEnd(served: null, isHttp2: false, TimeSpan.FromHours(1), _time);
        Exchange(end, isDueWithin: false).ShouldNotContain("close");

        // The answer is being waited for when the time is over: the handler reads ahead.
        Exchange(end, isDueWithin: true).ShouldNotContain("close");
        Exchange(end, isDueWithin: false).ShouldContain("Connection: close");
    }

    [Fact]
    public void A_connection_that_closes_before_its_time_has_no_timer_left()
    {
        var end = new ConnectionEnd(served: null, isHttp2: true, TimeSpan.FromHours(1), _time);
        end.Dispose();
        _time.Advance(TimeSpan.FromHours(2));

        Read(end, Settings).ShouldBe(Settings);
        end.Reads.ShouldBeTrue();
        Read(end, Data).ShouldBe(Data);
    }

    private string Exchange(ConnectionEnd end, bool isDueWithin)
    {
        if (end.Reads)
        {
            end.Reading();
        }

        var readPasses = !end.Reads;
        if (isDueWithin)
        {
            _time.Advance(TimeSpan.FromHours(1));
        }

        if (end.Writes)
        {
            end.Sending("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8);
            end.Sent();
        }

        var buffer = new byte[256];
        var count = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.Length;
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.CopyTo(buffer);
        return Encoding.ASCII.GetString(buffer, 0, readPasses ? count : end.Received(buffer, count));
    }

    private static byte[] Read(ConnectionEnd end, params byte[][] parts)
    {
        var read = new List<byte>();
        var buffer = new byte[64];
        foreach (var part in parts)
        {
            Take();
            part.CopyTo(buffer, 0);
            read.AddRange(buffer[..end.Received(buffer, part.Length)]);
        }

        Take();
        return [.. read];

        void Take()
        {
            end.Reading();
            while (end.TryTake(buffer, out var count))
            {
                read.AddRange(buffer[..count]);
            }
        }
    }

    private static byte[] Frame(byte type, byte flags, params byte[] payload) => [0, 0, (byte)payload.Length, type, flags, 0, 0, 0, 0, .. payload];
}
