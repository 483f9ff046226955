using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Mesh.DataPlane.Dns;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>The world outside that the labs of this folder stand in, without a mesh.</summary>
public sealed class OutsideNetTests
{
    [Fact]
    public async Task A_host_is_found_by_its_name_over_http_and_https_and_remembers_what_it_saw()
    {
        await using var net = OutsideNet.Start();
        var host = await net.AddHostAsync("www.yahoo.com", options => options.Names.Add("yahoo.com"));
        using var client = new HttpClient(net.CreateHandler());

        (await client.GetStringAsync("http://www.yahoo.com/robots.txt").OrHang()).ShouldBe("www.yahoo.com /robots.txt");
        (await client.GetStringAsync("https://yahoo.com/?q=1").OrHang()).ShouldBe("www.yahoo.com /?q=1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://www.yahoo.com/") { Version = HttpVersion.Version20 };
        (await client.SendAsync(request).OrHang()).Version.ShouldBe(HttpVersion.Version20);

        host.Seen.Select(seen => (seen.Scheme, seen.Host, seen.Target, seen.Protocol, seen.ServerName)).ShouldBe(
        [
            ("http", "www.yahoo.com", "/robots.txt", "HTTP/1.1", null),
            ("https", "yahoo.com", "/?q=1", "HTTP/1.1", "yahoo.com"),
            ("https", "www.yahoo.com", "/", "HTTP/2", "www.yahoo.com"),
        ]);
        host.ServerNames.ShouldBe(["yahoo.com", "www.yahoo.com"]);
        host.Connections.ShouldBe(3);
    }

    [Fact]
    public async Task Who_does_not_trust_the_authority_or_asks_for_another_name_gets_no_connection()
    {
        await using var net = OutsideNet.Start();
        await net.AddHostAsync("www.yahoo.com", options => options.Certificate = _ => net.Authority.Issue("www.google.com"));
        await net.AddHostAsync("www.bbc.com", options => options.Certificate = _ => net.Authority.IssueExpired("www.bbc.com"));
        await net.AddHostAsync("www.uwo.ca");
        using var client = new HttpClient(net.CreateHandler());
        using var stranger = new HttpClient(new SocketsHttpHandler { ConnectCallback = (context, token) => net.ConnectAsync(context.DnsEndPoint.Host, 443, token) });

        foreach (var (who, uri) in new[] { (client, "https://www.yahoo.com/"), (client, "https://www.bbc.com/"), (stranger, "https://www.uwo.ca/") })
        {
            (await Should.ThrowAsync<HttpRequestException>(who.GetAsync(uri).OrHang())).InnerException.ShouldBeOfType<AuthenticationException>(uri);
        }

        (await client.GetAsync("https://www.uwo.ca/").OrHang()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Should.ThrowAsync<HttpRequestException>(client.GetAsync("https://unknown.example/").OrHang())).HttpRequestError.ShouldBe(HttpRequestError.NameResolutionError);
    }

    [Fact]
    public async Task A_host_may_want_a_certificate_of_its_callers_and_may_speak_other_protocols()
    {
        await using var net = OutsideNet.Start();
        var host = await net.AddHostAsync("bank.example", options =>
        {
            options.RequireClientCertificate = true;
            options.Tcp[3306] = async connection =>
            {
                await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes("8.0 mysql"));
            };
        });
        var handler = net.CreateHandler();
        using var anonymous = new HttpClient(handler);
        var known = net.CreateHandler();
        known.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(net.Authority.Issue("client.example"), null, offline: true);
        using var client = new HttpClient(known);

        await Should.ThrowAsync<HttpRequestException>(anonymous.GetAsync("https://bank.example/").OrHang());
        (await client.GetAsync("https://bank.example/").OrHang()).StatusCode.ShouldBe(HttpStatusCode.OK);
        host.Seen.ShouldHaveSingleItem().ClientCertificate.ShouldBe("CN=client.example");

        await using var stream = await net.ConnectAsync("bank.example", 3306);
        using var reader = new StreamReader(stream);
        (await reader.ReadToEndAsync().OrHang()).ShouldBe("8.0 mysql");
    }

    [Fact]
    public async Task The_names_are_served_by_DNS_and_may_change()
    {
        await using var net = OutsideNet.Start();
        var host = await net.AddHostAsync("www.yahoo.com");
        var server = net.Dns.EndPoint;
        var other = net.NextAddress();
        var conf = ResolvConf.Parse($"nameserver {server.Address}\noptions timeout:5", "", _ => null) with { Servers = [server] };
        var resolver = new StubResolver(() => conf, () => HostsFile.Parse(""), CryptoRandomSource.Instance, TimeProvider.System);

        (await ResolveAsync("www.yahoo.com")).Addresses.ShouldBe([host.Address]);
        net.Names.Set("www.yahoo.com", 5, other, host.Address, IPAddress.IPv6Loopback);
        (await ResolveAsync("www.yahoo.com")).Addresses.ShouldBe([other, host.Address]);
        net.Names.Remove("www.yahoo.com");
        (await ResolveAsync("www.yahoo.com")).Addresses.ShouldBeEmpty();
        net.Dns.Seen.ShouldAllBe(question => question.Name == "www.yahoo.com.");

        Task<DnsResolution> ResolveAsync(string name)
            => resolver.ResolveAsync(new DnsQuery(name, DnsLookupFamily.V4Only, UseTcp: false), CancellationToken.None).AsTask().OrHang();
    }
}
