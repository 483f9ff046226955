using System.Buffers.Binary;
using System.Net.Security;
using System.Text;
using Mesh.DataPlane.Tcp;
using Outcome = Mesh.DataPlane.Tcp.ClientHello.Outcome;

namespace Mesh.DataPlane.Tests.Tcp;

/// <summary>The first bytes of connections, from whoever makes them.</summary>
public sealed class ClientHelloTests
{
    [Theory]
    [InlineData("www.example.com", "www.example.com")]
    [InlineData("WWW.Example.COM", "www.example.com")]
    [InlineData("", "")]
    public async Task What_dotnets_own_TLS_sends_is_read(string name, string read)
    {
        var bytes = await SentBySslStreamAsync(name, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);

        Read(bytes, out var hello).ShouldBe(Outcome.Complete);

        hello!.ServerName.ShouldBe(read);
        hello.ApplicationProtocols.ShouldBe(["h2", "http/1.1"]);
        Read([.. bytes, 1, 2, 3], out _).ShouldBe(Outcome.Complete, "what follows is nobody's business");
    }

    [Fact]
    public void Every_beginning_of_it_may_become_one()
    {
        var bytes = Record(Hello(ServerName("a.example.com")));

        for (var i = 0; i < bytes.Length; i++)
        {
            Read(bytes.AsSpan(0, i), out _).ShouldBe(Outcome.Incomplete, $"after {i} bytes");
        }

        Read(bytes, out var hello).ShouldBe(Outcome.Complete);
        hello!.ServerName.ShouldBe("a.example.com");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(50)]
    public void It_may_be_cut_into_records_anywhere(int size)
    {
        var message = Hello(ServerName("a.example.com"));
        byte[] bytes = [.. message.Chunk(size).SelectMany(Record)];

        Read(bytes, out var hello).ShouldBe(Outcome.Complete);

        hello!.ServerName.ShouldBe("a.example.com");
        Read(bytes.AsSpan(0, bytes.Length - 1), out _).ShouldBe(Outcome.Incomplete);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PING\r\n")]
    [InlineData("\0")]
    [InlineData("\u0016\u0002")]
    [InlineData("\u0016\u0003\u0001\0\u0004\u0002\0\0\0")] // A ServerHello.
    public void Other_protocols_are_told_by_their_first_bytes(string text) => Read(Encoding.Latin1.GetBytes(text), out _).ShouldBe(Outcome.NotTls);

    [Fact]
    public void One_that_is_longer_than_it_may_be_is_refused_before_it_has_come()
    {
        Read(Record([1, 1, 0, 0]), out _).ShouldBe(Outcome.Invalid);
        Read(Record(Hello(Extension(0xfafa, new byte[15_000]))), out _, 8 * 1024).ShouldBe(Outcome.Invalid);
        Read(Record(Hello(Extension(0xfafa, new byte[15_000]), ServerName("a.example.com"))), out var hello).ShouldBe(Outcome.Complete);
        hello!.ServerName.ShouldBe("a.example.com");

        // A record that promises much and never ends.
        byte[] endless = [22, 3, 1, 0x40, 0, .. new byte[ClientHello.MaxLength]];
        endless[5] = 1;
        Read(endless.AsSpan(0, 4000), out _).ShouldNotBe(Outcome.Complete);
    }

    [Fact]
    public void Empty_records_and_records_too_long_are_no_way_to_send_one()
    {
        Read([22, 3, 1, 0, 0], out _).ShouldBe(Outcome.Invalid);
        Read([22, 3, 1, 0xff, 0xff, 1], out _).ShouldBe(Outcome.Invalid);
        Read([.. Record(Hello(ServerName("a.example.com"))[..8]), 23, 3, 3, 0, 1, 1], out _).ShouldBe(Outcome.Invalid, "another content type amid the message");
    }

    [Fact]
    public void A_name_that_could_be_read_two_ways_is_none()
    {
        Invalid(ServerName("a.example.com"), ServerName("b.example.com"));
        Invalid(Extension(0, Vector16([.. HostName("a.example.com"), .. HostName("b.example.com")])));
        Invalid(Extension(0, Vector16([])));
        Invalid(Extension(0, [.. Vector16(HostName("a.example.com")), 0]));
        Invalid(ServerName(""));
        Invalid(ServerName("a b"));
        Invalid(ServerName("a\nb"));
        Invalid(ServerName("ä.example.com"));
        Invalid(ServerName(new string('a', 256)));
        Invalid(Extension(16, Vector16([0])));
        Invalid(Extension(16, Vector16([5, 1])));

        static void Invalid(params byte[][] extensions) => Read(Record(Hello(extensions)), out _).ShouldBe(Outcome.Invalid);
    }

    [Fact]
    public void Without_extensions_it_names_nobody()
    {
        var hello = Hello();
        Read(Record(hello), out var read).ShouldBe(Outcome.Complete);
        read!.ServerName.ShouldBe("");

        // As of SSL 3 and TLS 1.0: not even the length of none.
        var shorter = hello[..^2];
        BinaryPrimitives.WriteUInt16BigEndian(shorter.AsSpan(2), (ushort)(shorter.Length - 4));
        Read(Record(shorter), out read).ShouldBe(Outcome.Complete);
    }

    [Fact]
    public void Whatever_the_bytes_it_ends_and_reads_nothing_beyond_them()
    {
        var random = new Random(20_261_121);
        var valid = Record(Hello(ServerName("a.example.com"), Extension(16, Vector16([2, (byte)'h', (byte)'2']))));
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = i % 2 == 0 ? (byte[])valid.Clone() : new byte[random.Next(64)];
            if (i % 2 == 0)
            {
                for (var n = random.Next(1, 5); n > 0; n--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                bytes = bytes[..random.Next(bytes.Length + 1)];
            }
            else
            {
                random.NextBytes(bytes);
            }

            var outcome = Read(bytes, out var hello);
            (hello is not null).ShouldBe(outcome == Outcome.Complete);
            if (hello is not null)
            {
                hello.ServerName.ShouldAllBe(c => c > ' ' && c < 0x7f);
            }
        }
    }

    private static Outcome Read(ReadOnlySpan<byte> bytes, out ClientHello? hello, int maxLength = ClientHello.MaxLength) => ClientHello.Read(bytes, maxLength, out hello);

    private static byte[] Record(byte[] fragment) => [22, 3, 1, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    private static byte[] Hello(params byte[][] extensions)
    {
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0, .. Vector16([.. extensions.SelectMany(e => e)])];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    private static byte[] ServerName(string name) => Extension(0, Vector16(HostName(name)));

    private static byte[] HostName(string name) => [0, .. Vector16(Encoding.Latin1.GetBytes(name))];

    private static byte[] Extension(int type, byte[] value) => [(byte)(type >> 8), (byte)type, .. Vector16(value)];

    private static byte[] Vector16(byte[] value) => [(byte)(value.Length >> 8), (byte)value.Length, .. value];

    private static async Task<byte[]> SentBySslStreamAsync(string name, params SslApplicationProtocol[] protocols)
    {
        using var sent = new Sink();
        using var tls = new SslStream(sent);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, ApplicationProtocols = [.. protocols] });
        }
        catch (IOException)
        {
            // Nobody answers.
        }

        return sent.Written.ToArray();
    }

    /// <summary>Keeps what is written, and ends when it is read.</summary>
    private sealed class Sink : MemoryStream
    {
        public MemoryStream Written { get; } = new();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(0);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Written.WriteAsync(buffer, cancellationToken);
    }
}
