using System.Security.Cryptography.X509Certificates;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.TestNet;
using TlsProtocol = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Mesh.Client.Tests.Tls;

/// <summary>The application writes <c>http</c>, and TLS goes over the wire: to stock Kestrel, which holds the scheme of HTTP/2 against the connection.</summary>
public sealed class OriginationTests
{
    private const string Host = "secure.example";
    private const string Address = "http://secure.example/path?q=1";

    [Fact]
    public async Task Http1_goes_out_over_TLS_with_the_callers_host()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:80", world.Context());

        (await world.GetAsync(Address)).ShouldBe((200, "secure.example /path?q=1"));

        var seen = world.Host.Seen.ShouldHaveSingleItem();
        (seen.Scheme, seen.Host, seen.Protocol, seen.ServerName).ShouldBe(("https", Host, "HTTP/1.1", Host));
    }

    [Fact]
    public async Task A_port_that_stands_in_the_address_stands_in_the_host_as_with_a_proxy()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:443", world.Context());

        (await world.GetAsync("http://secure.example:443/")).Status.ShouldBe(200);

        world.Host.Seen.ShouldHaveSingleItem().Host.ShouldBe("secure.example:443");
    }

    [Fact]
    public async Task Http2_goes_out_by_the_scheme_that_servers_expect()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:80", world.Context(), OriginationWorld.Http2);

        using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = new StringContent("body") };
        using var response = await world.Mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var seen = world.Host.Seen.ShouldHaveSingleItem();
        (seen.Scheme, seen.Host, seen.Target, seen.Protocol, seen.ServerName).ShouldBe(("https", Host, "/path?q=1", "HTTP/2", Host));
        request.RequestUri!.OriginalString.ShouldBe(Address);
        request.Headers.ShouldBeEmpty();
        request.Version.ShouldBe(HttpVersion.Version11);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_server_name_may_be_another_than_the_host(bool http2)
    {
        await using var world = await OriginationWorld.StartAsync((options, _) => options.Names.Add("inner.example"));
        var context = world.Context();
        context.Sni = "inner.example";
        context.CommonTlsContext.ValidationContext.MatchTypedSubjectAltNames[0] = OriginationWorld.Name("inner.example");
        world.Serve("front.example:80", context, http2 ? OriginationWorld.Http2 : null);

        (await world.GetAsync("http://front.example/")).Status.ShouldBe(200);

        var seen = world.Host.Seen.ShouldHaveSingleItem();
        (seen.Host, seen.ServerName).ShouldBe(("front.example", "inner.example"));
    }

    [Fact]
    public async Task The_server_name_may_be_that_of_each_request_and_the_certificate_must_be_for_it()
    {
        await using var world = await OriginationWorld.StartAsync((options, _) =>
        {
            options.Names.Add("a.example");
            options.Names.Add("b.example");
        });
        var context = world.Context();
        context.Sni = "";
        context.CommonTlsContext.ValidationContext.MatchTypedSubjectAltNames.Clear();
        world.Serve($"{Host}:80", context, OriginationWorld.Http(o => o.UpstreamHttpProtocolOptions = new() { AutoSni = true, AutoSanValidation = true }));

        foreach (var host in new[] { "a.example", "b.example", "a.example", Host })
        {
            // The listener is that of the host header: the same one for all.
            world.Serve($"{host}:80", context, OriginationWorld.Http(o => o.UpstreamHttpProtocolOptions = new() { AutoSni = true, AutoSanValidation = true }));
            (await world.GetAsync($"http://{host}/")).Status.ShouldBe(200);
        }

        world.Host.Seen.ShouldAllBe(seen => seen.ServerName == seen.Host);
        world.Serve("c.example:80", context, OriginationWorld.Http(o => o.UpstreamHttpProtocolOptions = new() { AutoSni = true, AutoSanValidation = true }));
        var refused = await world.GetAsync("http://c.example/");
        refused.Status.ShouldBe(503);
        refused.Body.ShouldEndWith("CERTIFICATE_VERIFY_FAILED:verify cert failed: verify SAN list:TLS_error_end");
    }

    [Fact]
    public async Task What_is_negotiated_may_be_up_to_the_server()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:80", world.Context(), OriginationWorld.Http(o => o.AutoConfig = new()));

        (await world.GetAsync(Address)).Status.ShouldBe(200);

        world.Host.Seen.ShouldHaveSingleItem().Protocol.ShouldBe("HTTP/2");
    }

    [Theory]
    [InlineData("Tls12")]
    [InlineData("Tls13")]
    public async Task Only_the_versions_that_are_named_are_spoken(string name)
    {
        var version = name == "Tls12" ? TlsProtocol.Tlsv12 : TlsProtocol.Tlsv13;
        await using var world = await OriginationWorld.StartAsync();
        var context = world.Context();
        context.CommonTlsContext.TlsParams = new TlsParameters { TlsMinimumProtocolVersion = version, TlsMaximumProtocolVersion = version };
        world.Serve($"{Host}:80", context);
        var seen = new TaskCompletionSource<string>();
        world.Host.Answer(http =>
        {
            seen.SetResult(http.Features.Get<Microsoft.AspNetCore.Connections.Features.ITlsHandshakeFeature>()!.Protocol.ToString());
            return Task.CompletedTask;
        });

        (await world.GetAsync(Address)).Status.ShouldBe(200);

        (await seen.Task).ShouldBe(name);
    }

    [Fact]
    public async Task A_certificate_is_shown_where_one_is_wanted()
    {
        await using var world = await OriginationWorld.StartAsync((options, _) => options.RequireClientCertificate = true);
        using var certificate = world.Net.Authority.Issue("client.example");
        var context = world.Context();
        context.CommonTlsContext.TlsCertificates.Add(new TlsCertificate
        {
            CertificateChain = new DataSource { InlineString = certificate.ExportCertificatePem() },
            PrivateKey = new DataSource { InlineString = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
        });
        world.Serve($"{Host}:80", context);

        (await world.GetAsync(Address)).Status.ShouldBe(200);

        world.Host.Seen.ShouldHaveSingleItem().ClientCertificate.ShouldBe("CN=client.example");
    }

    [Fact]
    public async Task Connections_are_kept_and_close_after_the_number_of_requests_that_they_may_serve()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Serve($"{Host}:80", world.Context(), OriginationWorld.Http(o => o.CommonHttpProtocolOptions = new() { MaxRequestsPerConnection = 2 }));

        for (var i = 0; i < 5; i++)
        {
            (await world.GetAsync(Address)).Status.ShouldBe(200);
        }

        world.Host.Seen.GroupBy(seen => seen.Connection).Select(connection => connection.Count()).ShouldBe([2, 2, 1]);
    }
}
