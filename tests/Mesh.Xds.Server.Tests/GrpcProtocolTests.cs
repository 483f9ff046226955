using System.Net;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Grpc;
using static Mesh.Xds.Server.Tests.RawGrpcClient;

namespace Mesh.Xds.Server.Tests;

/// <summary>gRPC over HTTP/2 on Kestrel, seen by a client that frames for itself.</summary>
public sealed class GrpcProtocolTests
{
    private const string Unary = "/test.Service/Unary";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_unary_call_is_answered_with_a_message_and_the_status_in_the_trailers(bool gzip)
    {
        await using var host = await GrpcHost.StartAsync((request, _) => Task.FromResult(new DiscoveryResponse { TypeUrl = request.TypeUrl }));

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest { TypeUrl = "x" }, gzip), ("grpc-encoding", gzip ? "gzip" : "identity"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
        response.Headers.GetValues("grpc-accept-encoding").Single().ShouldContain("gzip");
        response.Headers.Contains("grpc-status").ShouldBeFalse();
        var body = await response.Content.ReadAsStreamAsync();
        (await ReadMessageAsync(body, DiscoveryResponse.Parser))!.TypeUrl.ShouldBe("x");
        (await ReadMessageAsync(body, DiscoveryResponse.Parser)).ShouldBeNull();
        response.TrailingHeaders.GetValues("grpc-status").Single().ShouldBe("0");
    }

    [Fact]
    public async Task A_call_that_fails_before_its_first_message_has_its_status_in_the_headers_percent_encoded()
    {
        await using var host = await GrpcHost.StartAsync((_, _) => throw new RpcException(StatusCode.NotFound, "kein Zugriff für 50% der Städte"));

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest()));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("grpc-status").Single().ShouldBe("5");
        response.Headers.GetValues("grpc-message").Single().ShouldBe("kein Zugriff f%C3%BCr 50%25 der St%C3%A4dte");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_fails_unexpectedly_is_unknown_and_tells_nothing_of_its_inside()
    {
        await using var host = await GrpcHost.StartAsync((_, _) => throw new InvalidOperationException("password=hunter2"));

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest()));

        response.Headers.GetValues("grpc-status").Single().ShouldBe("2");
        response.Headers.GetValues("grpc-message").Single().ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("/test.Service/Missing")]
    [InlineData("/missing.Service/Unary")]
    [InlineData("/envoy.service.discovery.v3.AggregatedDiscoveryService/Missing")]
    public async Task An_unknown_method_is_unimplemented(string method)
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.CallAsync(method, Frame(new DiscoveryRequest()));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("grpc-status").Single().ShouldBe("12");
        response.Headers.GetValues("grpc-message").Single().ShouldContain(method);
    }

    [Fact]
    public async Task What_is_not_grpc_is_an_unsupported_media_type()
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, Unary) { Content = new StringContent("{}") });

        response.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task An_unknown_path_that_is_not_grpc_stays_not_found()
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/a/b") { Content = new StringContent("{}") });

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_deadline_ends_the_call()
    {
        await using var host = await GrpcHost.StartAsync(async (_, cancellation) =>
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellation);
            return new DiscoveryResponse();
        });

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest()), ("grpc-timeout", "1m"));

        response.Headers.GetValues("grpc-status").Single().ShouldBe("4");
    }

    [Fact]
    public async Task A_malformed_deadline_is_an_invalid_argument()
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest()), ("grpc-timeout", "soon"));

        response.Headers.GetValues("grpc-status").Single().ShouldBe("3");
    }

    [Fact]
    public async Task An_encoding_that_is_not_known_is_unimplemented_and_the_known_ones_are_told()
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.CallAsync(Unary, Frame(new DiscoveryRequest()), ("grpc-encoding", "snappy"));

        response.Headers.GetValues("grpc-status").Single().ShouldBe("12");
        response.Headers.GetValues("grpc-accept-encoding").Single().ShouldBe("identity,gzip");
    }

    [Theory]
    [InlineData(0, 0xFFFF_FFFF, "8")]
    [InlineData(0, 100, "13")]
    [InlineData(7, 3, "13")]
    [InlineData(1, 3, "13")]
    public async Task A_malformed_frame_ends_the_call_with_a_status(byte flag, uint length, string status)
    {
        await using var host = await GrpcHost.StartAsync();

        var response = await host.Client.CallAsync(Unary, Frame(flag, length, [1, 2, 3]));

        response.Headers.GetValues("grpc-status").Single().ShouldBe(status);
    }
}
