using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Service.Discovery.V3;
using Mesh.Testing;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Tests.Grpc;

/// <summary>The client against Kestrel, over the transports that a target can name.</summary>
public sealed class GrpcChannelKestrelTests : IAsyncDisposable
{
    private static readonly GrpcMethod<DiscoveryRequest, DiscoveryResponse> Method = new("/test.Service/Method", DiscoveryResponse.Parser);
    private readonly CancellationToken _guard = new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-grpc").FullName;
    private WebApplication? _app;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_unary_call_carries_headers_and_brings_trailers_back()
    {
        var target = await StartAsync(EchoAsync);
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions { UserAgent = "mesh/test" });
        var metadata = new GrpcMetadata { { "x-name", "value" } };
        metadata.Add("x-raw-bin", [1, 2, 3]);
        var response = await channel.UnaryAsync(Method, new DiscoveryRequest { TypeUrl = "hello" }, new GrpcCallOptions(TimeSpan.FromSeconds(20), metadata), _guard);

        response.TypeUrl.ShouldBe("hello");
        response.VersionInfo.ShouldBe("POST /test.Service/Method application/grpc trailers mesh/test identity,gzip 20000000u value AQID");
    }

    [Fact]
    public async Task A_token_is_read_for_each_call_and_never_leaves_this_machine_in_clear_text()
    {
        var calls = 0;
        var target = await StartAsync(EchoAsync);
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions { BearerToken = () => $"token-{++calls}" });
        await channel.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard);
        await channel.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard);
        calls.ShouldBe(2);

        // Nothing listens there: it is refused before anything connects.
        using var elsewhere = new GrpcChannel(GrpcTarget.Parse("http://192.0.2.1:15010"), new GrpcChannelOptions { BearerToken = () => "secret" });
        var refusal = await Should.ThrowAsync<RpcException>(() => elsewhere.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard));
        refusal.StatusCode.ShouldBe(StatusCode.Unauthenticated);
        refusal.Detail.ShouldNotContain("secret");
        refusal.Detail.ShouldContain("https://");
    }

    [Fact]
    public async Task Messages_go_both_ways_while_the_call_is_open()
    {
        var target = await StartAsync(EchoAsync);
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions { SendEncoding = GrpcEncoding.Gzip });
        await using var call = await channel.OpenDuplexAsync(Method, GrpcCallOptions.Default, _guard);
        for (var i = 0; i < 5; i++)
        {
            var text = new string((char)('a' + i), 5000 * i);
            await call.WriteAsync(new DiscoveryRequest { TypeUrl = text }, _guard);
            (await call.ReadAsync(_guard))!.TypeUrl.ShouldBe(text);
        }

        call.CompleteWriting();
        (await call.ReadAsync(_guard)).ShouldBeNull();
        call.Trailers!.Get("x-count").ShouldBe("5");
    }

    [Fact]
    public async Task A_response_of_8_MiB_arrives_whole()
    {
        var target = await StartAsync(EchoAsync);
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions());
        var text = new string('x', 8 * 1024 * 1024);
        (await channel.UnaryAsync(Method, new DiscoveryRequest { TypeUrl = text }, GrpcCallOptions.Default, _guard)).TypeUrl.ShouldBe(text);
    }

    [Fact]
    public async Task Connects_to_a_unix_socket()
    {
        var path = Path.Combine(_directory, "xds.sock");
        await StartAsync(EchoAsync, kestrel => kestrel.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2));
        foreach (var target in (string[])[$"unix://{path}", $"unix:{path}"])
        {
            using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions());
            (await channel.UnaryAsync(Method, new DiscoveryRequest { TypeUrl = target }, GrpcCallOptions.Default, _guard)).TypeUrl.ShouldBe(target);
        }
    }

    [Fact]
    public async Task Trusts_only_the_configured_roots_and_presents_its_own_certificate()
    {
        using var server = CreateCertificate("localhost", "server");
        using var client = CreateCertificate("client", "client");
        var target = await StartAsync(EchoAsync, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = server;
            https.ClientCertificateMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, _, _) => certificate.Thumbprint == client.Thumbprint;
        })));
        var address = "localhost:" + new Uri(target).Port;

        var credentials = new GrpcTlsCredentials(Pem("server.crt"), Pem("client.crt"), Pem("client.key"));
        using (var channel = new GrpcChannel(GrpcTarget.Parse(address), new GrpcChannelOptions { Tls = credentials }))
        {
            (await channel.UnaryAsync(Method, new DiscoveryRequest { TypeUrl = "tls" }, GrpcCallOptions.Default, _guard)).TypeUrl.ShouldBe("tls");
        }

        using (var distrusting = new GrpcChannel(GrpcTarget.Parse(address), new GrpcChannelOptions { Tls = new GrpcTlsCredentials(Pem("client.crt"), Pem("client.crt"), Pem("client.key")) }))
        {
            (await Should.ThrowAsync<RpcException>(() => distrusting.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard)))
                .StatusCode.ShouldBe(StatusCode.Unavailable);
        }

        using var otherName = new GrpcChannel(GrpcTarget.Parse("127.0.0.1:" + new Uri(target).Port), new GrpcChannelOptions { Tls = credentials });
        (await Should.ThrowAsync<RpcException>(() => otherName.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard)))
            .StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Fact]
    public async Task A_deadline_ends_the_call_by_the_injected_clock()
    {
        var aborted = new TaskCompletionSource();
        var target = await StartAsync(async context =>
        {
            context.RequestAborted.Register(() => aborted.TrySetResult());
            context.Response.ContentType = GrpcHeaderNames.ContentType;
            await context.Response.Body.FlushAsync();
            await aborted.Task;
        });
        var clock = new ManualTimeProvider();
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions { TimeProvider = clock });
        await using var call = await channel.OpenDuplexAsync(Method, new GrpcCallOptions(TimeSpan.FromSeconds(10)), _guard);
        await call.WriteAsync(new DiscoveryRequest(), _guard);
        await call.ReadHeadersAsync(_guard);
        var read = call.ReadAsync(_guard).AsTask();

        clock.Advance(TimeSpan.FromSeconds(9));
        read.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<RpcException>(read)).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        await aborted.Task.WaitAsync(_guard);
    }

    [Fact]
    public async Task A_caller_who_cancels_sees_its_own_cancellation_and_the_server_sees_the_reset()
    {
        var aborted = new TaskCompletionSource();
        var target = await StartAsync(async context =>
        {
            context.RequestAborted.Register(() => aborted.TrySetResult());
            context.Response.ContentType = GrpcHeaderNames.ContentType;
            await context.Response.Body.FlushAsync();
            await aborted.Task;
        });
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions());
        await using var call = await channel.OpenDuplexAsync(Method, GrpcCallOptions.Default, _guard);
        await call.WriteAsync(new DiscoveryRequest(), _guard);
        await call.ReadHeadersAsync(_guard);
        using var cancellation = new CancellationTokenSource();
        var read = call.ReadAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(read);
        await aborted.Task.WaitAsync(_guard);
    }

    [Fact]
    public async Task An_OK_without_a_message_is_an_error_of_a_unary_call()
    {
        var target = await StartAsync(async context =>
        {
            context.Response.ContentType = GrpcHeaderNames.ContentType;
            await context.Response.Body.FlushAsync();
            context.Response.AppendTrailer("grpc-status", "0");
        });
        using var channel = new GrpcChannel(GrpcTarget.Parse(target), new GrpcChannelOptions());
        (await Should.ThrowAsync<RpcException>(() => channel.UnaryAsync(Method, new DiscoveryRequest(), GrpcCallOptions.Default, _guard)))
            .Detail.ShouldContain("without a response message");
    }

    private static async Task EchoAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var reader = new GrpcMessageReader(context.Request.BodyReader, GrpcEncodings.Parse(headers["grpc-encoding"]));
        var gzip = headers["grpc-encoding"] == "gzip";
        var writer = new GrpcMessageWriter(context.Response.BodyWriter, gzip ? GrpcEncoding.Gzip : GrpcEncoding.Identity);
        context.Response.ContentType = "application/grpc+proto";
        if (gzip)
        {
            context.Response.Headers["grpc-encoding"] = "gzip";
        }

        var seen = $"{context.Request.Method} {context.Request.Path} {context.Request.ContentType} {headers.TE} {headers.UserAgent} "
            + $"{headers["grpc-accept-encoding"]} {headers["grpc-timeout"]} {headers["x-name"]} {headers["x-raw-bin"]}";
        var count = 0;
        while (await reader.ReadAsync(DiscoveryRequest.Parser, context.RequestAborted) is { } request)
        {
            count++;
            await writer.WriteAsync(new DiscoveryResponse { TypeUrl = request.TypeUrl, VersionInfo = seen }, context.RequestAborted);
        }

        context.Response.AppendTrailer("grpc-status", "0");
        context.Response.AppendTrailer("x-count", count.ToString());
    }

    private async Task<string> StartAsync(RequestDelegate handle, Action<KestrelServerOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            (listen ?? (k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2)))(kestrel);
        });
        _app = builder.Build();
        _app.Run(handle);
        await _app.StartAsync(_guard);
        return _app.Urls.First();
    }

    private string Pem(string file) => Path.Combine(_directory, file);

    private X509Certificate2 CreateCertificate(string name, string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Pem($"{file}.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Pem($"{file}.key"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
