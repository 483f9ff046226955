using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Mesh.ControlPlane;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Certificates;

/// <summary>Requests by openssl, calls by gRPC's C-core, and certificates that openssl judges.</summary>
public sealed class CertificateAuthorityTests : IAsyncDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private const string Reviews = "URI:spiffe://cluster.local/ns/default/sa/bookinfo-reviews";

    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-authority-").FullName;
    private WebApplication? _app;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string this[string name] => Path.Combine(_folder, name);

    private async Task<string> StartAsync(Action<MeshControlPlaneOptions>? configure = null)
    {
        File.WriteAllText(this["token"], Token);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(this["token"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMeshControlPlane(options =>
        {
            options.CertificateAuthority.Folder = this["authority"];
            options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = this["token"], Accounts = { "default/bookinfo-reviews" } });
            configure?.Invoke(options);
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXdsTls(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapMeshXds();
        await _app.StartAsync();
        File.WriteAllText(this["roots.pem"], _app.Services.GetRequiredService<IMeshCertificateAuthority>().Roots);
        return new Uri(_app.Urls.Single()).Authority;
    }

    private string OpenSsl(bool mayFail, params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var hasEnded = process.WaitForExit(TimeSpan.FromSeconds(60)) && said.Wait(TimeSpan.FromSeconds(60));
        hasEnded.ShouldBeTrue($"openssl {string.Join(' ', arguments)} has not ended");
        var all = string.Concat(said.Result);
        (mayFail || process.ExitCode == 0).ShouldBeTrue(all);
        return all;
    }

    private void Request(string name, params string[] key)
        => OpenSsl(false, ["req", "-new", "-nodes", "-subj", "/CN=whoever", "-addext", "subjectAltName=URI:spiffe://cluster.local/ns/default/sa/bookinfo-ratings", .. key, "-keyout", $"{name}.key", "-out", $"{name}.csr"]);

    private async Task<JsonElement> AskAsync(string target, string name, string token = Token, string? certificate = null)
    {
        await using var process = Peer.Python.Run(
            "certificate_client", new Dictionary<string, string>(), target, this["roots.pem"], this[name + ".csr"], token,
            certificate is null ? "-" : this[certificate + ".pem"], certificate is null ? "-" : this[certificate + ".key"]);
        return JsonDocument.Parse(await process.ReadLineAsync()).RootElement;
    }

    private void Save(string name, JsonElement answer)
    {
        var chain = answer.GetProperty("chain").EnumerateArray().Select(pem => pem.GetString()!).ToArray();
        File.WriteAllText(this[name + ".pem"], chain[0]);
        File.WriteAllText(this[name + ".chain"], string.Concat(chain[1..^1]));
        File.WriteAllText(this[name + ".roots"], chain[^1]);
    }

    [OpenSslFact]
    [Trait("Lab", "P13")]
    public async Task Openssl_finds_in_a_certificate_what_the_labs_print()
    {
        var target = await StartAsync();
        foreach (var (name, key) in new[] { ("p256", "ec:p256.param"), ("rsa", "rsa:2048") })
        {
            if (name == "p256")
            {
                OpenSsl(false, "ecparam", "-name", "prime256v1", "-out", "p256.param");
            }

            Request(name, "-newkey", key);
            Save(name, await AskAsync(target, name));

            var text = OpenSsl(false, "x509", "-in", $"{name}.pem", "-noout", "-text");
            text.ShouldContain("X509v3 Subject Alternative Name: critical");
            text.ShouldContain(Reviews);
            text.ShouldNotContain("bookinfo-ratings");
            text.ShouldNotContain("whoever");
            text.ShouldContain("TLS Web Server Authentication, TLS Web Client Authentication");
            text.ShouldContain("CA:FALSE");
            OpenSsl(false, "x509", "-in", $"{name}.pem", "-noout", "-subject").Trim().ShouldBe("subject=");
            OpenSsl(false, "verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", $"{name}.roots", $"{name}.pem").ShouldContain("OK");
            OpenSsl(false, "verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", $"{name}.roots", $"{name}.pem").ShouldContain("OK");
        }
    }

    [OpenSslFact]
    public async Task C_core_joins_renews_and_is_refused()
    {
        var target = await StartAsync();
        Request("first", "-newkey", "rsa:2048");
        Save("first", await AskAsync(target, "first"));

        Request("second", "-newkey", "rsa:2048");
        Save("second", await AskAsync(target, "second", "-", "first"));
        OpenSsl(false, "x509", "-in", "second.pem", "-noout", "-text").ShouldContain(Reviews);

        (await AskAsync(target, "second", "-")).GetProperty("code").GetString().ShouldBe("UNAUTHENTICATED");
        (await AskAsync(target, "second", "wrong-wrong-wrong-wrong")).GetProperty("code").GetString().ShouldBe("UNAUTHENTICATED");
        OpenSsl(false, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/", "-addext", "subjectAltName=critical," + Reviews, "-keyout", "forged.key", "-out", "forged.pem");
        (await AskAsync(target, "second", "-", "forged")).GetProperty("code").GetString().ShouldBe("UNAUTHENTICATED");

        Request("weak", "-newkey", "rsa:1024");
        (await AskAsync(target, "weak")).GetProperty("code").GetString().ShouldBe("INVALID_ARGUMENT");
    }

    [OpenSslFact]
    public async Task Openssls_own_intermediate_signs_and_openssl_follows_the_chain()
    {
        Directory.CreateDirectory(this["cacerts"]);
        OpenSsl(false, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/O=Example/CN=root", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "root.key", "-out", "cacerts/root-cert.pem");
        OpenSsl(false, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Example/CN=intermediate", "-keyout", "cacerts/ca-key.pem", "-out", "ca.csr");
        File.WriteAllText(this["ca.ext"], "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
        OpenSsl(false, "x509", "-req", "-in", "ca.csr", "-CA", "cacerts/root-cert.pem", "-CAkey", "root.key", "-days", "20", "-extfile", "ca.ext", "-out", "cacerts/ca-cert.pem");
        File.Copy(this["cacerts/ca-cert.pem"], this["cacerts/cert-chain.pem"]);
        var target = await StartAsync(options => options.CertificateAuthority.CaCerts = this["cacerts"]);

        Request("leaf", "-newkey", "rsa:2048");
        Save("leaf", await AskAsync(target, "leaf"));

        OpenSsl(false, "verify", "-x509_strict", "-CAfile", "leaf.roots", "-untrusted", "leaf.chain", "leaf.pem").ShouldContain("OK");
        Save("renewed", await AskAsync(target, "leaf", "-", "leaf"));
        var hello = OpenSsl(false, "s_client", "-connect", target, "-alpn", "h2", "-CAfile", "leaf.roots", "-verify_return_error", "-verify_hostname", "istiod.istio-system.svc");
        hello.ShouldContain("Verify return code: 0 (ok)");
        hello.ShouldContain("ALPN protocol: h2");
    }
}
