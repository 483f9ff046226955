using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.TestNet;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>TLS that begins at the client, with what it shows and believes in a Secret: from the documents to a server of the outside.</summary>
public sealed class CredentialLabs
{
    private const string Host = "secure.example";
    private const string Address = "http://secure.example:443/path";

    // Without retries, whose pauses would wait for a clock that stands still.
    private static string Entry => $$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: secure}
        spec:
          hosts: [{{Host}}]
          ports: [{number: 443, name: http, protocol: HTTP, targetPort: {{OutsideNet.LocalPort(443)}} }]
          resolution: DNS
          location: MESH_EXTERNAL
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: secure}
        spec:
          hosts: [{{Host}}]
          http: [{route: [{destination: {host: {{Host}} } }], retries: {attempts: 0} }]
        ---

        """;

    private static string Rule(string tls) => $$"""
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: secure}
        spec:
          host: {{Host}}
          trafficPolicy: {tls: {{tls}} }
        ---

        """;

    private static string Secret(TestCertificateAuthority authority, X509Certificate2? certificate)
    {
        var pems = new Dictionary<string, string> { ["ca.crt"] = authority.Pem };
        if (certificate is not null)
        {
            using var key = certificate.GetECDsaPrivateKey()!;
            pems["tls.crt"] = certificate.ExportCertificatePem();
            pems["tls.key"] = key.ExportPkcs8PrivateKeyPem();
        }

        return "apiVersion: v1\nkind: Secret\nmetadata: {name: client}\ndata:\n"
            + string.Concat(pems.Select(pem => $"  {pem.Key}: {Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(pem.Value))}\n"))
            + "---\n";
    }

    [Fact]
    public async Task An_authority_in_a_Secret_is_believed_and_the_one_that_takes_its_place_too()
    {
        await using var net = OutsideNet.Start();
        using var other = new TestCertificateAuthority("Another authority");
        var site = await net.AddHostAsync(Host);
        await using var mesh = await PodMesh.StartAsync(Entry + Rule("{mode: SIMPLE, credentialName: client}") + Secret(other, null), outside: net);

        (await mesh.Caller().AskAsync(Address)).Status.ShouldBe(503, "the Secret has another authority");
        site.Seen.ShouldBeEmpty();

        await mesh.ApplyAsync(Secret(net.Authority, null));

        (await mesh.Caller().AskAsync(Address)).Body.ShouldBe($"{Host} /path");
        site.Seen.ShouldHaveSingleItem().ServerName.ShouldBe(Host);
    }

    [Fact]
    public async Task A_certificate_in_a_Secret_is_shown()
    {
        await using var net = OutsideNet.Start();
        using var certificate = net.Authority.Issue("client.example");
        await net.AddHostAsync(Host, options => options.RequireClientCertificate = true);
        await using var mesh = await PodMesh.StartAsync(Entry + Rule("{mode: MUTUAL, credentialName: client}") + Secret(net.Authority, certificate), outside: net);

        (await mesh.Caller().AskAsync(Address)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Without_the_Secret_no_request_leaves()
    {
        await using var net = OutsideNet.Start();
        var site = await net.AddHostAsync(Host);
        await using var mesh = await PodMesh.StartAsync(Entry + Rule("{mode: SIMPLE, credentialName: client}"), outside: net);

        (await mesh.Caller().AskAsync(Address)).Status.ShouldBe(503);

        site.Seen.ShouldBeEmpty();
    }
}
