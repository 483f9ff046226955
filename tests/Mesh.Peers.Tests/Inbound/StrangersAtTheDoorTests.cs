using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Mesh.Server.Tests.Inbound;
using Mesh.TestNet;

namespace Mesh.Peers.Tests.Inbound;

/// <summary>OpenSSL and curl at the ports of an application: what a workload may, and what nobody else does.</summary>
public sealed class StrangersAtTheDoorTests : IDisposable
{
    private const string Client = "spiffe://cluster.local/ns/default/sa/client";

    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-peers-").FullName;

    [ProgramTheory("openssl", "version")]
    [InlineData("-tls1_3", "istio-h2", "istio-h2")]
    [InlineData("-tls1_3", "h2", "h2")]
    [InlineData("-tls1_3", "istio", null)]
    [InlineData("-tls1_3", null, null)]
    [InlineData("-tls1_2", "istio-http/1.1", "istio-http/1.1")]
    [InlineData("-tls1_2", "http/1.1,istio-h2", "istio-h2")]
    [InlineData("-tls1_2", null, null)]
    public async Task OpenSSL_with_a_workloads_certificate_agrees_on_a_protocol(string version, string? offered, string? agreed)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();

        var output = await OpenSslAsync(app, app.Workload(), [version, .. offered is null ? Array.Empty<string>() : ["-alpn", offered]], "");

        output.ShouldContain("Verify return code: 0 (ok)");
        output.ShouldContain(agreed is null ? "No ALPN negotiated" : $"ALPN protocol: {agreed}");
        app.Refusals.ShouldBeEmpty();
    }

    [ProgramTheory("openssl", "version")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task OpenSSL_is_answered_over_both_versions(string version)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();

        var output = await OpenSslAsync(app, app.Workload(), [version, "-quiet", "-ign_eof"], "GET /who HTTP/1.0\r\n\r\n");

        output.ShouldContain($"http {Client} mtls");
        output.ShouldNotContain("unexpected eof");
    }

    [ProgramTheory("openssl", "version")]
    [InlineData("no certificate", "-tls1_2")]
    [InlineData("no certificate", "-tls1_3")]
    [InlineData("another authority", "-tls1_3")]
    [InlineData("two identities", "-tls1_3")]
    [InlineData("no identity", "-tls1_2")]
    [InlineData("expired", "-tls1_3")]
    public async Task OpenSSL_gets_no_answer_and_is_told_of_once(string what, string version)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var other = new TestCertificateAuthority("Other");
        var certificate = what switch
        {
            "no certificate" => null,
            "another authority" => other.Issue(Client),
            "two identities" => app.Authority.Issue(Client, "spiffe://cluster.local/ns/default/sa/admin"),
            "no identity" => app.Authority.Issue("spiffe://user@cluster.local/ns/default/sa/client"),
            _ => app.Authority.IssueExpired(Client),
        };

        var output = await OpenSslAsync(app, certificate, [version, "-ign_eof"], "GET /who HTTP/1.0\r\n\r\n");

        output.ShouldNotContain("mtls");

        // Whoever is refused knows of it before it is told of.
        await app.UntilAsync(() => app.Refusals.Count > 0);
        app.Refusals.ShouldHaveSingleItem(output);
    }

    [ProgramTheory("curl", "--version")]
    [InlineData("--http1.1", "HTTP/1.1")]
    [InlineData("--http2", "HTTP/2")]
    public async Task Curl_reaches_the_application_as_a_workload_and_is_told_nothing_without_a_certificate(string version, string protocol)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        var (certificate, key) = Files(app.Workload());

        var (exit, output) = await RunAsync("curl", ["-sS", "-k", version, "--max-time", "30", "--cert", certificate, "--key", key, $"https://127.0.0.1:{app.Port}/who"], "");
        var (without, nothing) = await RunAsync("curl", ["-sS", "-k", version, "--max-time", "30", $"https://127.0.0.1:{app.Port}/who"], "");
        var (plain, reset) = await RunAsync("curl", ["-sS", "--max-time", "30", $"http://127.0.0.1:{app.Port}/who"], "");

        (exit, output).ShouldBe((0, $"{protocol} http {Client} mtls"));
        without.ShouldNotBe(0, nothing);
        plain.ShouldBe(56, reset);
        reset.ShouldContain("reset");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> OpenSslAsync(InboundApp app, X509Certificate2? certificate, string[] arguments, string input)
    {
        var roots = Path.Combine(_folder, "roots.pem");
        await File.WriteAllTextAsync(roots, app.Authority.Pem);
        List<string> all = ["s_client", "-connect", $"127.0.0.1:{app.Port}", "-CAfile", roots, .. arguments];
        if (certificate is not null)
        {
            var (file, key) = Files(certificate);
            all.AddRange(["-cert", file, "-key", key]);
        }

        return (await RunAsync("openssl", all, input)).Output;
    }

    private (string Certificate, string Key) Files(X509Certificate2 certificate)
    {
        var (file, key) = (Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "key.pem"));
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return (file, key);
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, IEnumerable<string> arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before it was told anything.
        }

        using var guard = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await process.WaitForExitAsync(guard.Token);
        return (process.ExitCode, await output + await errors);
    }
}
