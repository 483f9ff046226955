using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Mesh.TestNet;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using static Mesh.Xds.Tests.Grpc.RawHttp2Connection;

namespace Mesh.Xds.Tests.Grpc;

/// <summary>The client against a peer that writes HTTP/2 frames by hand.</summary>
public sealed class GrpcChannelRawTests : IDisposable
{
    private static readonly GrpcMethod<DiscoveryRequest, DiscoveryResponse> Method = new("/test.Service/Method", DiscoveryResponse.Parser);
    private readonly RawHttp2Server _server = new();
    private readonly GrpcChannel _channel;
    private readonly CancellationToken _guard = new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    public GrpcChannelRawTests() => _channel = new GrpcChannel(GrpcTarget.Parse(_server.Target), new GrpcChannelOptions());

    public void Dispose()
    {
        _channel.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Reads_status_and_decoded_message_from_a_trailers_only_response()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", "d%C3%A9lta 100%25"));

        var error = await ReadErrorAsync(call);
        error.StatusCode.ShouldBe(StatusCode.Unimplemented);
        error.Detail.ShouldBe("délta 100%");
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(StatusCode.Unimplemented);
    }

    [Theory]
    [InlineData("400", StatusCode.Internal)]
    [InlineData("401", StatusCode.Unauthenticated)]
    [InlineData("403", StatusCode.PermissionDenied)]
    [InlineData("404", StatusCode.Unimplemented)]
    [InlineData("429", StatusCode.Unavailable)]
    [InlineData("502", StatusCode.Unavailable)]
    [InlineData("503", StatusCode.Unavailable)]
    [InlineData("504", StatusCode.Unavailable)]
    [InlineData("500", StatusCode.Unknown)]
    [InlineData("200", StatusCode.Unknown)]
    internal async Task Maps_the_http_status_of_a_response_that_is_not_gRPC(string http, StatusCode expected)
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteHeadersAsync(stream, true, (":status", http), ("content-type", "text/html"));
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Reads_messages_however_they_are_split_into_frames()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        var first = new DiscoveryResponse { Nonce = "1", VersionInfo = new string('a', 300) };
        var second = new DiscoveryResponse { Nonce = "2" };
        byte[] bytes = [.. GrpcMessageReaderTests.Framed(first.ToByteArray()), .. GrpcMessageReaderTests.Framed(second.ToByteArray())];

        // Inside the prefix, inside the message, and across the boundary between two messages.
        foreach (var part in (byte[][])[bytes[..3], bytes[3..100], [], bytes[100..310], bytes[310..]])
        {
            await connection.WriteAsync(Data, 0, stream, part);
        }

        await connection.WriteHeadersAsync(stream, true, ("grpc-status", "0"));
        (await call.ReadAsync(_guard)).ShouldBe(first);
        (await call.ReadAsync(_guard)).ShouldBe(second);
        (await call.ReadAsync(_guard)).ShouldBeNull();
        call.Trailers!.Get("grpc-status").ShouldBe("0");
    }

    [Fact]
    public async Task Reads_gzip_messages()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream, ("grpc-encoding", "gzip"));
        var message = new DiscoveryResponse { VersionInfo = new string('a', 100_000) };
        await connection.WriteAsync(Data, 0, stream, GrpcMessageReaderTests.Framed(GrpcEncodings.Gzip(message.ToByteArray()), flag: 1));
        (await call.ReadAsync(_guard)).ShouldBe(message);
    }

    [Fact]
    public async Task Refuses_an_encoding_that_it_did_not_offer()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream, ("grpc-encoding", "snappy"));
        (await ReadErrorAsync(call)).Detail.ShouldContain("snappy");
    }

    [Fact]
    public async Task Refuses_a_frame_length_of_4_GiB()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await connection.WriteAsync(Data, 0, stream, [0, 0xff, 0xff, 0xff, 0xff]);
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Theory]
    [InlineData(0x7, StatusCode.Unavailable)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0x2, StatusCode.Internal)]
    internal async Task Maps_the_error_code_of_a_reset_after_headers(uint code, StatusCode expected)
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await call.ReadHeadersAsync(_guard);
        await connection.WriteResetAsync(stream, code);
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task A_stream_without_a_status_is_an_error_even_if_it_ends_cleanly()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await connection.WriteAsync(Data, EndStream, stream, GrpcMessageReaderTests.Framed([]));
        (await call.ReadAsync(_guard)).ShouldBe(new DiscoveryResponse());
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(StatusCode.Unknown);
    }

    [Fact]
    public async Task A_connection_lost_in_mid_message_is_unavailable()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await connection.WriteAsync(Data, 0, stream, [0, 0, 0, 1, 0, 1, 2, 3]);
        await call.ReadHeadersAsync(_guard);
        connection.Dispose();
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Fact]
    public async Task GOAWAY_in_mid_response_lets_the_open_stream_finish()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await connection.WriteAsync(Data, 0, stream, GrpcMessageReaderTests.Framed(new DiscoveryResponse { Nonce = "1" }.ToByteArray()));
        await connection.WriteGoAwayAsync(stream, 0, "max_age");
        await connection.WriteAsync(Data, 0, stream, GrpcMessageReaderTests.Framed(new DiscoveryResponse { Nonce = "2" }.ToByteArray()));
        await connection.WriteHeadersAsync(stream, true, ("grpc-status", "0"));
        (await call.ReadAsync(_guard))!.Nonce.ShouldBe("1");
        (await call.ReadAsync(_guard))!.Nonce.ShouldBe("2");
        (await call.ReadAsync(_guard)).ShouldBeNull();
    }

    [Fact]
    public async Task A_connection_that_closes_in_peace_in_mid_response_is_unavailable()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await call.ReadHeadersAsync(_guard);
        await connection.WriteGoAwayAsync(stream, 0, "");
        connection.Dispose();
        (await ReadErrorAsync(call)).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Fact]
    public async Task Disposing_a_call_resets_its_stream()
    {
        var (call, connection, stream) = await OpenAsync();
        await connection.WriteResponseHeadersAsync(stream);
        await call.ReadHeadersAsync(_guard);
        await call.DisposeAsync();
        var (reset, _, payload) = await connection.ReadAsync(RstStream);
        reset.ShouldBe(stream);
        payload[3].ShouldBe((byte)8);
    }

    [Fact]
    public async Task Too_many_pings_double_the_keepalive_of_the_next_connection()
    {
        await using var transport = new GrpcAdsTransport(_server.Target, new GrpcChannelOptions { KeepAliveInterval = TimeSpan.FromSeconds(40) });
        var opening = transport.OpenDeltaStreamAsync(_guard);
        using var connection = await _server.AcceptAsync();
        await using var call = await opening;
        await call.WriteAsync(new DeltaDiscoveryRequest(), _guard);
        var (stream, _, _) = await connection.ReadAsync(Headers);
        transport.KeepAliveInterval.ShouldBe(TimeSpan.FromSeconds(40));

        // Whose ping is answered has read what came before it; who is hung up on may not have.
        await connection.WriteGoAwayAsync(stream, 0xb, "too_many_pings");
        await connection.WriteAsync(Ping, 0, 0, new byte[8]);
        while (((await connection.ReadAsync(Ping)).Flags & Acknowledged) == 0)
        {
        }

        connection.Dispose();
        await Should.ThrowAsync<RpcException>(async () => await call.ReadAsync(_guard));

        transport.KeepAliveInterval.ShouldBe(TimeSpan.FromSeconds(80));
        opening = transport.OpenDeltaStreamAsync(_guard);
        using var next = await _server.AcceptAsync();
        await using var second = await opening;
        transport.KeepAliveInterval.ShouldBe(TimeSpan.FromSeconds(80));
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable_and_says_why()
    {
        using var channel = new GrpcChannel(GrpcTarget.Parse($"http://127.0.0.1:{ClosedPort.Take()}"), new GrpcChannelOptions());
        var error = await Should.ThrowAsync<RpcException>(() => channel.OpenDuplexAsync(Method, GrpcCallOptions.Default, _guard));
        error.StatusCode.ShouldBe(StatusCode.Unavailable);
        error.Detail.ShouldContain("refused");
    }

    private async Task<(GrpcDuplexCall<DiscoveryRequest, DiscoveryResponse> Call, RawHttp2Connection Connection, int Stream)> OpenAsync()
    {
        var opening = _channel.OpenDuplexAsync(Method, GrpcCallOptions.Default, _guard);
        var connection = await _server.AcceptAsync();
        var call = await opening;
        await call.WriteAsync(new DiscoveryRequest { TypeUrl = "t" }, _guard);
        var (stream, _, _) = await connection.ReadAsync(Headers);
        await connection.ReadAsync(Data);
        return (call, connection, stream);
    }

    private async Task<RpcException> ReadErrorAsync(GrpcDuplexCall<DiscoveryRequest, DiscoveryResponse> call)
        => await Should.ThrowAsync<RpcException>(async () => await call.ReadAsync(_guard));
}
