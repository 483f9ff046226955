using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.TestNet;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Mesh.Client.Tests.Tls;

/// <summary>Whoever is not the one that was asked for gets nothing, least of all the request in clear text.</summary>
public sealed class OriginationFailureTests
{
    private const string Host = "secure.example";
    private const string Address = "http://secure.example/";
    private const string Verify = "268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: ";
    private const string Chain = Verify + "X509_verify_cert: certificate verification error at depth ";

    [Fact]
    public async Task An_authority_that_is_not_trusted()
    {
        using var other = new TestCertificateAuthority("Another authority");
        await using var world = await OriginationWorld.StartAsync();
        var context = world.Context();
        context.CommonTlsContext.ValidationContext.TrustedCa.InlineString = other.Pem;

        await Refused(world, context, Chain + "0: unable to get local issuer certificate");
    }

    [Fact]
    public async Task An_authority_that_the_system_does_not_know()
    {
        await using var world = await OriginationWorld.StartAsync();
        var context = world.Context();
        context.CommonTlsContext.ValidationContext.TrustedCa = null;
        context.CommonTlsContext.ValidationContext.SystemRootCerts = new();

        await Refused(world, context, Chain + "0: unable to get local issuer certificate");
    }

    [Fact]
    public async Task A_certificate_that_has_expired()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.Certificate = _ => net.Authority.IssueExpired(Host));

        await Refused(world, world.Context(), Chain + "0: certificate has expired");

        var tolerant = world.Context();
        tolerant.CommonTlsContext.ValidationContext.AllowExpiredCertificate = true;
        world.Serve($"{Host}:80", tolerant);
        (await world.GetAsync(Address)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_certificate_of_somebody_else()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.Certificate = _ => net.Authority.Issue("other.example"));

        await Refused(world, world.Context(), Verify + "verify SAN list");
    }

    [Fact]
    public async Task A_name_that_is_right_and_of_the_wrong_kind()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.Certificate = _ => net.Authority.Issue("x.example", "spiffe://td/ns/a/sa/b"));
        var context = world.Context();
        context.CommonTlsContext.ValidationContext.MatchTypedSubjectAltNames[0] = OriginationWorld.Name("spiffe://td/ns/a/sa/b");
        await Refused(world, context, Verify + "verify SAN list");

        context.CommonTlsContext.ValidationContext.MatchTypedSubjectAltNames[0] = OriginationWorld.Name("spiffe://td/ns/a/sa/b", SanType.Uri);
        world.Serve($"{Host}:80", context);
        (await world.GetAsync(Address)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_certificate_that_is_not_the_pinned_one()
    {
        await using var world = await OriginationWorld.StartAsync();
        var pinned = world.Context();
        pinned.CommonTlsContext.ValidationContext.VerifyCertificateHash.Add(new string('a', 64));
        await Refused(world, pinned, Verify + "cert hash and spki");

        using var own = world.Net.Authority.Issue(Host);
        await using var other = await OriginationWorld.StartAsync((options, _) => options.Certificate = _ => own);
        var exact = other.Context();
        exact.CommonTlsContext.ValidationContext = new CertificateValidationContext { VerifyCertificateHash = { own.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256) } };
        other.Serve($"{Host}:80", exact);
        (await other.GetAsync(Address)).Status.ShouldBe(200, "it is pinned, whoever has signed for it");
    }

    [Fact]
    public async Task Nobody_is_too_bad_where_it_is_said_so()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.Certificate = _ => net.Authority.IssueExpired("other.example"));
        var context = world.Context();
        context.CommonTlsContext.ValidationContext = new CertificateValidationContext
        {
            TrustChainVerification = CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted,
        };
        world.Serve($"{Host}:80", context);

        (await world.GetAsync(Address)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_peer_that_speaks_in_clear_text()
    {
        await using var world = await OriginationWorld.StartAsync();

        await Refused(world, world.Context(), "268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER", port: 80);
    }

    [Fact]
    public async Task A_peer_that_wants_a_certificate_refuses_within_the_handshake_of_TLS_1_2()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.RequireClientCertificate = true);
        var context = world.Context();
        context.CommonTlsContext.TlsParams = new TlsParameters { TlsMaximumProtocolVersion = TlsParameters.Types.TlsProtocol.Tlsv12 };

        var (status, body) = await AskAsync(world, context);
        status.ShouldBe(503);
        body.ShouldNotContain("connection timeout");
        world.Host.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_peer_that_wants_a_certificate_refuses_after_the_handshake_of_TLS_1_3()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.RequireClientCertificate = true);

        var (status, _) = await AskAsync(world, world.Context());

        status.ShouldBe(503);
        world.Host.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_sent_to_a_peer_that_is_not_trusted_is_a_handshake_and_nothing_of_the_request()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:80", world.Context());
        world.Mesh.SetEndpoints($"{Host}:80", ((IPEndPoint)listener.LocalEndpoint).Port);
        var answer = world.GetAsync("http://secure.example/secret-path");

        using var peer = await listener.AcceptTcpClientAsync().Within();
        var received = new byte[16 * 1024];
        var count = await peer.GetStream().ReadAsync(received).AsTask().Within();
        await peer.GetStream().WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"u8.ToArray());

        received[0].ShouldBe((byte)0x16, "a handshake record");
        received.AsSpan(0, count).IndexOf("secret-path"u8).ShouldBe(-1);
        (await answer).Status.ShouldBe(503);
    }

    [Fact]
    public async Task A_certificate_in_a_file_counts_from_the_next_connection_on_when_it_changes()
    {
        var folder = Directory.CreateTempSubdirectory("mesh-tls");
        try
        {
            using var other = new TestCertificateAuthority("Another authority");
            await using var world = await OriginationWorld.StartAsync();
            var file = Path.Combine(folder.FullName, "ca.pem");
            var context = world.Context();
            context.CommonTlsContext.ValidationContext.TrustedCa = new DataSource { Filename = file };
            world.Serve($"{Host}:80", context);

            (await world.GetAsync(Address)).Body.ShouldEndWith($"TLS_error:|cannot use {file}:TLS_error_end");
            await File.WriteAllTextAsync(file, other.Pem);
            (await world.GetAsync(Address)).Body.ShouldContain("unable to get local issuer certificate");
            await File.WriteAllTextAsync(file, other.Pem + "\n" + world.Net.Authority.Pem);
            (await world.GetAsync(Address)).Status.ShouldBe(200);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<(int Status, string Body)> AskAsync(OriginationWorld world, UpstreamTlsContext context, int port = 443)
    {
        world.Serve($"{Host}:80", context, port: port);
        return world.GetAsync(Address);
    }

    private static async Task Refused(OriginationWorld world, UpstreamTlsContext context, string reason, int port = 443)
    {
        var answer = await AskAsync(world, context, port);
        answer.ShouldBe((503, $"upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error:|{reason}:TLS_error_end"));
        world.Host.Seen.ShouldBeEmpty();
    }
}
