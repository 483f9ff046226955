using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Server.Tests.Security;

/// <summary>Certificates and configuration over real connections: who proves what with which.</summary>
public sealed class ControlPlaneTlsTests
{
    private const string Ratings = "spiffe://cluster.local/ns/default/sa/ratings";

    private static Node Workload(string account, string @namespace = "default") => new()
    {
        Id = $"{account}-1",
        UserAgentName = "mesh",
        Metadata = Struct.Parser.ParseJson($$$"""{"NAMESPACE":"{{{@namespace}}}","SERVICE_ACCOUNT":"{{{account}}}","MESH_ADDRESSES":{"http":"127.0.0.1:1"}}"""),
    };

    /// <summary>Opens a stream, says who it is, asks for the roots, and ends.</summary>
    private static async Task<Secret> AskAsync(string target, Node node, GrpcTlsCredentials? tls = null, string? token = null, Func<Task>? meanwhile = null)
    {
        await using var transport = new GrpcAdsTransport(target, new GrpcChannelOptions { Tls = tls, BearerToken = token is null ? null : () => token });
        await using var stream = await transport.OpenDeltaStreamAsync(default);
        await stream.WriteAsync(new DeltaDiscoveryRequest { Node = node, TypeUrl = TypeUrls.Secret, ResourceNamesSubscribe = { "ROOTCA" } }, default);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var response = await stream.ReadAsync(guard.Token);
        if (meanwhile is not null)
        {
            await meanwhile();
        }

        return response!.Resources.Single().Resource_.Unpack<Secret>();
    }

    private static string UriOf(X509Certificate2 certificate)
    {
        var reader = new System.Formats.Asn1.AsnReader(certificate.Extensions.Single(e => e.Oid!.Value == "2.5.29.17").RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
        return reader.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6));
    }

    [Fact]
    public async Task A_workload_joins_by_its_token_and_renews_by_its_certificate()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();

        var (first, issued) = await controlPlane.IssueAsync(controlPlane.Tls, SecureControlPlane.RatingsToken);
        UriOf(first).ShouldBe(Ratings);
        issued.Roots.ShouldBe(controlPlane.Authority.Roots);

        // The same, whatever it asks for.
        var (second, _) = await controlPlane.IssueAsync(controlPlane.Tls, tls: controlPlane.Trust(first), uri: "spiffe://cluster.local/ns/default/sa/reviews");
        UriOf(second).ShouldBe(Ratings);
        second.SerialNumber.ShouldNotBe(first.SerialNumber);
    }

    [Fact]
    public async Task Nobody_gets_a_certificate_without_proof_on_any_port()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        san.AddUri(new Uri(Ratings));
        request.CertificateExtensions.Add(san.Build());
        using var forged = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

        foreach (var attempt in new Func<Task>[]
        {
            () => controlPlane.IssueAsync(controlPlane.Tls, uri: Ratings),
            () => controlPlane.IssueAsync(controlPlane.Tls, "wrong-wrong-wrong-wrong", uri: Ratings),
            () => controlPlane.IssueAsync(controlPlane.Tls, tls: controlPlane.Trust(forged), uri: Ratings),
            () => controlPlane.IssueAsync(controlPlane.Plain, uri: Ratings),
            () => controlPlane.IssueAsync(controlPlane.UnixTarget, uri: Ratings),
        })
        {
            (await Should.ThrowAsync<RpcException>(attempt)).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        }
    }

    [Fact]
    public async Task A_server_that_the_authority_does_not_vouch_for_is_not_spoken_to()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        await using var other = await SecureControlPlane.StartAsync();

        (await Should.ThrowAsync<RpcException>(() => controlPlane.IssueAsync(controlPlane.Tls, SecureControlPlane.RatingsToken, other.Trust()))).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Fact]
    public async Task The_user_of_a_unix_socket_is_known_where_users_are_believed()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using var controlPlane = await SecureControlPlane.StartAsync(options =>
        {
            options.Authentication.AllowLoopback = true;
            options.Authentication.LoopbackTokenFile = Path.Combine(Path.GetDirectoryName(options.CertificateAuthority.Folder)!, "loopback");
        });

        UriOf((await controlPlane.IssueAsync(controlPlane.UnixTarget, uri: Ratings)).Certificate).ShouldBe(Ratings);
        (await Should.ThrowAsync<RpcException>(() => controlPlane.IssueAsync(controlPlane.Plain, uri: Ratings))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
    }

    [Fact]
    public async Task A_workload_registers_as_who_it_proves_to_be_and_as_nobody_else()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        var (certificate, _) = await controlPlane.IssueAsync(controlPlane.Tls, SecureControlPlane.RatingsToken);
        var tls = controlPlane.Trust(certificate);

        var roots = await AskAsync(controlPlane.Tls, Workload("ratings"), tls, meanwhile: () =>
        {
            controlPlane.Registered.ShouldBe(["default/ratings"]);
            return Task.CompletedTask;
        });
        roots.ValidationContext.TrustedCa.InlineBytes.ToStringUtf8().ShouldBe(controlPlane.Authority.Roots);
        await AskAsync(controlPlane.Tls, Workload("ratings"), controlPlane.Trust(), SecureControlPlane.RatingsToken);

        (await Should.ThrowAsync<RpcException>(() => AskAsync(controlPlane.Tls, Workload("reviews"), tls))).StatusCode.ShouldBe(StatusCode.PermissionDenied);
        (await Should.ThrowAsync<RpcException>(() => AskAsync(controlPlane.Tls, Workload("ratings", "prod"), tls))).StatusCode.ShouldBe(StatusCode.PermissionDenied);
        (await Should.ThrowAsync<RpcException>(() => AskAsync(controlPlane.Plain, Workload("reviews"), token: SecureControlPlane.RatingsToken))).StatusCode.ShouldBe(StatusCode.PermissionDenied);
        (await Should.ThrowAsync<RpcException>(() => AskAsync(controlPlane.Tls, Workload("ratings"), controlPlane.Trust(), "wrong-wrong-wrong-wrong"))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        controlPlane.Registered.ShouldNotContain("default/reviews");
    }

    [Fact]
    public async Task A_client_follows_the_server_to_its_next_root()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync(options => options.CertificateAuthority.RootAnnouncement = TimeSpan.Zero);
        var before = controlPlane.Authority.Roots;
        controlPlane.Authority.BeginRootRotation();
        var learned = new X509Certificate2Collection();
        learned.ImportFromPem(controlPlane.Authority.Roots);
        learned.Count.ShouldBe(2);

        // What was learned is trusted besides the file, which still has the old root alone.
        File.ReadAllText(controlPlane.RootsFile).ShouldBe(before);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var only = new CertificateRequest("CN=stranger", stranger, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var file = Path.Combine(Path.GetDirectoryName(controlPlane.RootsFile)!, "stranger.pem");
        File.WriteAllText(file, only.ExportCertificatePem());
        await Should.ThrowAsync<RpcException>(() => controlPlane.IssueAsync(controlPlane.Tls, SecureControlPlane.RatingsToken, new GrpcTlsCredentials(file)));
        await controlPlane.IssueAsync(controlPlane.Tls, SecureControlPlane.RatingsToken, new GrpcTlsCredentials(file) { LearnedRoots = () => learned });
    }

    [Fact]
    public async Task Status_and_changes_are_for_those_who_may()
    {
        var config = Directory.CreateTempSubdirectory("mesh-config-").FullName;
        await using var controlPlane = await SecureControlPlane.StartAsync(options => options.ConfigFolder = config);
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } })
        {
            BaseAddress = new Uri(controlPlane.Tls),
        };
        const string Service = """
            apiVersion: v1
            kind: Service
            metadata: {name: reviews}
            spec:
              selector: {app: reviews}
              ports: [{name: http, port: 9080}]
            """;

        // Looking: whoever is on this machine, but not with a token that is wrong.
        (await SendAsync(HttpMethod.Get, "/mesh/control-plane/status")).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Get, "/mesh/control-plane/status", "wrong-wrong-wrong-wrong")).Status.ShouldBe(HttpStatusCode.Forbidden);
        var status = (await SendAsync(HttpMethod.Get, "/mesh/control-plane/status", SecureControlPlane.AdminToken)).Body;
        status.ShouldContain("\"rotation\":\"None\"");

        // Changing: those who are named.
        (await SendAsync(HttpMethod.Put, "/mesh/control-plane/config/reviews.yaml", body: Service)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Put, "/mesh/control-plane/config/reviews.yaml", SecureControlPlane.RatingsToken, Service)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Post, "/mesh/control-plane/root-rotation", SecureControlPlane.RatingsToken)).Status.ShouldBe(HttpStatusCode.Forbidden);
        Directory.EnumerateFiles(config).ShouldBeEmpty();

        (await SendAsync(HttpMethod.Put, "/mesh/control-plane/config/reviews.yaml", SecureControlPlane.AdminToken, Service)).Status.ShouldBe(HttpStatusCode.NoContent);
        File.ReadAllText(Path.Combine(config, "reviews.yaml")).ShouldBe(Service);
        var bad = await SendAsync(HttpMethod.Put, "/mesh/control-plane/config/reviews.yaml", SecureControlPlane.AdminToken, Service.Replace("ports", "prots", StringComparison.Ordinal));
        bad.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        bad.Body.ShouldContain("prots");
        File.ReadAllText(Path.Combine(config, "reviews.yaml")).ShouldBe(Service);
        foreach (var name in new[] { "..%2Fevil.yaml", ".hidden.yaml", "evil.exe", "a%2Fb.yaml" })
        {
            (await SendAsync(HttpMethod.Put, "/mesh/control-plane/config/" + name, SecureControlPlane.AdminToken, Service)).Status.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.NotFound);
        }

        (await SendAsync(HttpMethod.Delete, "/mesh/control-plane/config/reviews.yaml", SecureControlPlane.AdminToken)).Status.ShouldBe(HttpStatusCode.NoContent);
        Directory.EnumerateFiles(config).ShouldBeEmpty();
        (await SendAsync(HttpMethod.Post, "/mesh/control-plane/root-rotation", SecureControlPlane.AdminToken)).Status.ShouldBe(HttpStatusCode.Accepted);
        controlPlane.Authority.Rotation.ShouldBe(RootRotation.Announced);
        Directory.Delete(config, recursive: true);

        async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path, string? token = null, string? body = null)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var response = await client.SendAsync(request);
            return (response.StatusCode, await response.Content.ReadAsStringAsync());
        }
    }
}
