using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Mesh.Server.Connections;

namespace Mesh.Server.Tests.Inbound;

/// <summary>Who connects to a PERMISSIVE port and means no good: refused, told of once, and never more than a bounded part of the memory.</summary>
public sealed class HostileConnectionTests
{
    public static TheoryData<string, byte[]> Halves => new()
    {
        { "the type of a TLS record", [22] },
        { "half a record's header", [22, 3, 1] },
        { "a record that promises more", [22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3] },
        { "a record of one byte, and nothing more", [22, 3, 1, 0, 1, 1] },
        { "the beginning of what HTTP/2 begins with, as TLS", [22, 3, 3, 63, 255, 1, 0, 63, 200] },
    };

    [Theory]
    [MemberData(nameof(Halves))]
    public async Task Half_a_TLS_hello_is_given_up_when_its_time_is_over(string what, byte[] bytes)
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetPermissive();
        await using var stream = await MeshCaller.ConnectAsync(app.Port);
        await stream.WriteAsync(bytes);
        await app.Time.WaitForTimerAsync(Listeners.Patience).WaitAsync(TimeSpan.FromSeconds(30));

        app.Time.Advance(Listeners.Patience);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue(what);
        app.Refusals.ShouldHaveSingleItem().ShouldContain($"could not be told from its first bytes within {Listeners.Patience}");
    }

    [Fact]
    public async Task Who_says_nothing_is_given_up_when_the_time_is_over()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetPermissive();
        await using var stream = await MeshCaller.ConnectAsync(app.Port);
        await app.Time.WaitForTimerAsync(Listeners.Patience).WaitAsync(TimeSpan.FromSeconds(30));

        app.Time.Advance(Listeners.Patience);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        app.Refusals.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_hello_that_comes_byte_by_byte_and_in_several_records_is_read()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        await using var stream = await MeshCaller.SecureAsync(new SlowStream(await MeshCaller.ConnectAsync(app.Port)), app.Workload(), "istio-http/1.1");

        await stream.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream, Encoding.ASCII);

        (await reader.ReadToEndAsync()).ShouldEndWith("mtls");
        app.Refusals.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET /who HTTP/1.0\r\n\r\n", "plain")]
    [InlineData("PRI /who HTTP/1.0\r\n\r\n", "405")]
    public async Task Plain_text_that_comes_byte_by_byte_is_read_from_its_beginning(string request, string answer)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        await using var stream = await MeshCaller.ConnectAsync(app.Port);
        foreach (var character in request)
        {
            await stream.WriteAsync(new[] { (byte)character });
            await Task.Yield();
        }

        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await reader.ReadToEndAsync()).ShouldContain(answer);
    }

    [Fact]
    public async Task TLS_that_breaks_the_rules_reaches_no_handshake()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        var hello = new byte[200];
        new byte[] { 22, 3, 1, 0, 190, 1, 0, 0, 186, 3, 3 }.CopyTo(hello, 0);
        Array.Fill<byte>(hello, 0xFF, 11, 189);
        await using var stream = await MeshCaller.ConnectAsync(app.Port);

        await stream.WriteAsync(hello);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        app.Refusals.ShouldHaveSingleItem().ShouldContain("its TLS begins against the rules");
    }

    [Fact]
    public async Task A_handshake_that_stops_half_way_is_given_up()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetStrict();
        using var half = new HalfStream(await MeshCaller.ConnectAsync(app.Port));
        var handshake = await HalfAHandshakeAsync(half);

        app.Time.Advance(TimeSpan.FromSeconds(10));

        await app.UntilAsync(() => app.Refusals.Count == 1);
        app.Refusals.Single().ShouldContain("it has taken too long");
        half.Dispose();
        await Should.ThrowAsync<Exception>(() => handshake);
    }

    [Fact]
    public async Task Who_was_given_up_and_stays_holds_no_server_up_that_stops()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetStrict();
        using var half = new HalfStream(await MeshCaller.ConnectAsync(app.Port));
        var handshake = await HalfAHandshakeAsync(half);
        app.Time.Advance(TimeSpan.FromSeconds(10));
        await app.UntilAsync(() => app.Refusals.Count == 1);

        // The clock stands still, and the caller goes on waiting.
        await app.App.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));

        half.Dispose();
        await Should.ThrowAsync<Exception>(() => handshake);
    }

    [Fact]
    public async Task Who_connects_and_leaves_is_no_refusal()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        for (var i = 0; i < 20; i++)
        {
            await using var stream = await MeshCaller.ConnectAsync(app.Port);
        }

        using var client = MeshCaller.Plain(app.Port);
        await client.GetStringAsync("/who");
        app.Refusals.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_flood_so_many_are_told_of_in_a_second_and_then_how_many_more()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetStrict();
        for (var i = 0; i < RefusalLog.MaxPerSecond + 15; i++)
        {
            (await MeshCaller.IsClosedAsync(app.Port)).ShouldBeTrue();
        }

        app.Refusals.Count.ShouldBe(RefusalLog.MaxPerSecond);
        app.Time.Advance(TimeSpan.FromSeconds(1));
        (await MeshCaller.IsClosedAsync(app.Port)).ShouldBeTrue();
        app.Logs.Lines.ShouldContain(l => l.Contains("15 more connections were refused"));
    }

    [Fact]
    public async Task Those_who_wait_at_the_door_hold_no_buffers_and_nobody_else_up()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetPermissive();
        using var warm = MeshCaller.Secure(app.Port, app.Workload(), "istio-h2", http2: true);
        await warm.GetStringAsync("/who");
        var streams = new List<NetworkStream>();
        for (var i = 0; i < 200; i++)
        {
            streams.Add(await MeshCaller.ConnectAsync(app.Port));
        }

        using var client = MeshCaller.Plain(app.Port);
        (await client.GetStringAsync("/who")).ShouldEndWith("plain");

        await app.Time.WaitForTimersAsync(streams.Count, Listeners.Patience).WaitAsync(TimeSpan.FromSeconds(30));
        app.Time.Advance(Listeners.Patience);
        foreach (var stream in streams)
        {
            (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
            await stream.DisposeAsync();
        }
    }

    private static async Task<Task> HalfAHandshakeAsync(HalfStream half)
    {
        var handshake = new SslStream(half).AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "app", RemoteCertificateValidationCallback = (_, _, _, _) => true });
        await half.Answered.WaitAsync(TimeSpan.FromSeconds(30));
        return handshake;
    }

    /// <summary>Sends byte by byte.</summary>
    private sealed class SlowStream(NetworkStream inner) : DelegatedStream(inner)
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++)
            {
                await Inner.WriteAsync(buffer.Slice(i, 1), cancellationToken);
                await Task.Yield();
            }
        }
    }

    /// <summary>Sends the first message and no other.</summary>
    private sealed class HalfStream(NetworkStream inner) : DelegatedStream(inner)
    {
        private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _never = new();
        private bool _sent;

        public Task Answered => _answered.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await base.ReadAsync(buffer, cancellationToken);
            _answered.TrySetResult();
            return count;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_sent)
            {
                await _never.Task;
            }

            _sent = true;
            await base.WriteAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            _never.TrySetException(new IOException("closed"));
            base.Dispose(disposing);
        }
    }

    private abstract class DelegatedStream(NetworkStream inner) : Stream
    {
        protected NetworkStream Inner { get; } = inner;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Inner.WriteAsync(buffer, cancellationToken);

        public override void Flush() => Inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => Inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => Inner.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            Inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
