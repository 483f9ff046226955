using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.DataPlane.Inbound;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Details = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;

namespace Mesh.Server.Tests.Http;

/// <summary>Of every header that the mesh believes in: what becomes of it when a stranger sends it.</summary>
public sealed class HeaderSpoofingTests
{
    private const string Caller = "spiffe://cluster.local/ns/default/sa/productpage";
    private const string Own = "spiffe://cluster.local/ns/default/sa/reviews";
    private const string Forged = "By=spiffe://a/b;URI=spiffe://cluster.local/ns/default/sa/admin";

    public static TheoryData<string> ControlHeaders => new(
        "x-envoy-internal",
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-stream-duration-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-upstream-alt-stat-name",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-force-trace",
        "x-envoy-ip-tags",
        "x-envoy-original-url",
        "x-envoy-original-path",
        "x-envoy-original-host",
        "x-envoy-peer-metadata",
        "x-envoy-peer-metadata-id");

    [Theory]
    [MemberData(nameof(ControlHeaders))]
    public async Task A_control_header_of_a_stranger_reaches_nobody(string name)
    {
        await using var host = await DoorHost.StartAsync(_ => { });

        (await host.SendAsync("/", (name, "5"), (name.ToUpperInvariant(), "6"), ("x-mine", "7"))).Status.ShouldBe(200);

        host.Requests[0].Headers.Keys.Where(k => k.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase)).ShouldBeEmpty();
        host.Requests[0].Headers["x-mine"].ShouldBe("7");
    }

    [Fact]
    public async Task On_http_2_as_well()
    {
        await using var host = await DoorHost.StartAsync(_ => { }, protocols: HttpProtocols.Http2);
        using var client = host.Client(HttpVersion.Version20);
        foreach (var name in ControlHeaders)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation((string)name, "5");
        }

        await client.GetAsync("/");

        host.Requests[0].Headers.Keys.Where(k => k.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_is_named_as_internal_is_heeded_and_may_not_say_so_himself()
    {
        await using var host = await DoorHost.StartAsync(m =>
        {
            m.UseRemoteAddress = true;
            m.InternalAddressConfig = new() { CidrRanges = { new CidrRange { AddressPrefix = "127.0.0.0", PrefixLen = 8 } } };
        });

        await host.SendAsync("/", ("x-envoy-internal", "maybe"), ("x-envoy-max-retries", "3"));
        await host.SendAsync("/", ("x-forwarded-for", "127.0.0.1"), ("x-envoy-max-retries", "3"), ("x-envoy-decorator-operation", "x"));

        (host.Requests[0].Headers["x-envoy-internal"], host.Requests[0].Headers["x-envoy-max-retries"]).ShouldBe(("true", "3"));

        // Behind another one nobody is internal, whatever address he claims.
        host.Requests[1].Headers.Keys.ShouldNotContain("x-envoy-internal");
        host.Requests[1].Headers.Keys.ShouldNotContain("x-envoy-max-retries");
        host.Requests[1].Headers.Keys.ShouldNotContain("x-envoy-decorator-operation");
        host.Requests[1].Headers["x-envoy-external-address"].ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task Headers_that_are_internal_to_the_mesh_do_not_come_from_outside()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.InternalOnlyHeaders.Add("x-tenant"));

        await host.SendAsync("/", ("x-tenant", "admin"));

        host.Requests[0].Headers.Keys.ShouldNotContain("x-tenant");
    }

    [Theory]
    [InlineData(nameof(Details.Sanitize), false, null)]
    [InlineData(nameof(Details.Sanitize), true, null)]
    [InlineData(nameof(Details.ForwardOnly), false, null)]
    [InlineData(nameof(Details.ForwardOnly), true, Forged)]
    [InlineData(nameof(Details.AppendForward), false, null)]
    [InlineData(nameof(Details.AppendForward), true, Forged + ",<own>")]
    [InlineData(nameof(Details.SanitizeSet), false, null)]
    [InlineData(nameof(Details.SanitizeSet), true, "<own>")]
    [InlineData(nameof(Details.AlwaysForwardOnly), false, Forged)]
    [InlineData(nameof(Details.AlwaysForwardOnly), true, Forged)]
    public async Task Nobody_says_of_himself_who_he_is(string details, bool isMutual, string? expected)
    {
        using var certificate = Certificate();
        await using var host = await DoorHost.StartAsync(
            m =>
            {
                m.ForwardClientCertDetails = Enum.Parse<Details>(details);
                m.SetCurrentClientCertDetails = new() { Uri = true, Subject = true };
            },
            facts: f => isMutual ? new ConnectionFacts { RemoteEndPoint = f.RemoteEndPoint, LocalEndPoint = f.LocalEndPoint, IsTls = true, PeerCertificate = certificate, LocalUriName = Own } : f);

        await host.SendAsync("/", ("x-forwarded-client-cert", Forged), ("X-Forwarded-Client-Cert", ""));
        await host.SendAsync("/");

        var own = $"By={Own};Hash={Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))};Subject=\"CN=productpage\";URI={Caller}";
        var told = host.Requests[0].Headers.GetValueOrDefault("x-forwarded-client-cert")?.Replace("|", "", StringComparison.Ordinal).Replace(",,", ",", StringComparison.Ordinal);
        told.ShouldBe(expected?.Replace("<own>", own, StringComparison.Ordinal));
        host.Requests[1].Headers.GetValueOrDefault("x-forwarded-client-cert").ShouldBe(expected?.Contains("<own>", StringComparison.Ordinal) == true ? own : null);
    }

    [Fact]
    public async Task The_caller_is_who_connects_or_who_a_trusted_proxy_says()
    {
        await using var host = await DoorHost.StartAsync(m => m.UseRemoteAddress = true);

        await host.SendAsync("/", ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https"));

        host.Requests[0].Headers["x-forwarded-for"].ShouldBe("6.6.6.6,127.0.0.1");
        host.Requests[0].Headers["x-forwarded-proto"].ShouldBe("http");
        host.Requests[0].Headers["x-envoy-external-address"].ShouldBe("127.0.0.1");

        host.Change(m => (m.UseRemoteAddress, m.XffNumTrustedHops) = (true, 1));
        await host.SendAsync("/", ("x-forwarded-for", "6.6.6.6, 5.5.5.5"), ("x-envoy-external-address", "1.1.1.1"));
        host.Requests[1].Headers["x-envoy-external-address"].ShouldBe("5.5.5.5");
    }

    [Fact]
    public async Task A_request_id_from_outside_is_replaced_and_one_from_inside_kept()
    {
        await using var host = await DoorHost.StartAsync(_ => { });
        await host.SendAsync("/", ("x-request-id", "mine"));
        await host.SendAsync("/");
        host.Change(m => m.UseRemoteAddress = true);
        await host.SendAsync("/", ("x-request-id", "mine"));
        host.Change(m => (m.UseRemoteAddress, m.PreserveExternalRequestId) = (true, true));
        await host.SendAsync("/", ("x-request-id", "mine"));
        host.Change(m => m.GenerateRequestId = false);
        await host.SendAsync("/");

        var ids = host.Requests.Select(r => r.Headers.GetValueOrDefault("x-request-id")).ToList();
        (ids[0], ids[3], ids[4]).ShouldBe(("mine", "mine", null));
        Guid.Parse(ids[1]!).Version.ShouldBe(4);
        Guid.Parse(ids[2]!).ShouldNotBe(Guid.Parse(ids[1]!));
    }

    [Fact]
    public async Task Names_with_underscores_are_refused_or_dropped_where_that_is_said()
    {
        await using var host = await DoorHost.StartAsync(m => m.CommonHttpProtocolOptions = new() { HeadersWithUnderscoresAction = HttpProtocolOptions.Types.HeadersWithUnderscoresAction.RejectRequest });
        (await host.SendAsync("/", ("x_forwarded_client_cert", Forged))).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(400), a => a.Body.ShouldBe("Bad Request"));

        host.Change(m => m.CommonHttpProtocolOptions = new() { HeadersWithUnderscoresAction = HttpProtocolOptions.Types.HeadersWithUnderscoresAction.DropHeader });
        (await host.SendAsync("/", ("x_forwarded_client_cert", Forged), ("x-y", "z"))).Status.ShouldBe(200);
        host.Requests.ShouldHaveSingleItem().Headers.Keys.ShouldNotContain("x_forwarded_client_cert");
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=productpage", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(Caller));
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(60));
    }
}
