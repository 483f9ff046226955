using System.Net;
using Istio.V1.Auth;
using Mesh.DataPlane.Configuration;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Testing;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>Where a process has its identity from, by what its settings say and what there is.</summary>
public sealed class WorkloadIdentityFactoryTests : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("identity").FullName;
    private readonly ManualTimeProvider _time = new(Pki.Now);
    private readonly List<IAsyncDisposable> _open = [];

    private string Token => Path.Combine(_folder, "token");

    [Fact]
    public async Task Without_a_credential_a_workload_has_no_identity()
    {
        await using var services = Services(o => { });

        WorkloadIdentityFactory.Create(services).ShouldBeNull();
        services.GetRequiredService<MeshEngine>().Identity.ShouldBeNull();
    }

    [Fact]
    public async Task An_authority_in_the_same_process_is_asked_directly()
    {
        var authority = new TestAuthority(_time);
        await using var services = Services(
            o => o.Workload = new MeshWorkload("reviews") { Namespace = "shop", ServiceAccount = "bookinfo-reviews" }, s => s.AddSingleton<ICertificateIssuer>(authority));

        // The engine begins by itself: not every process has a host.
        var identity = (WorkloadIdentity)services.GetRequiredService<MeshEngine>().Identity!;
        await identity.Settled.WaitAsync(Guard);

        identity.IsReady.ShouldBeTrue();
        authority.Callers.ShouldHaveSingleItem().InProcess.ShouldBe(("shop", "bookinfo-reviews"));
    }

    [Fact]
    public async Task An_authority_over_TLS_is_sent_the_token_as_it_is_at_that_moment()
    {
        var server = await ServerAsync(tls: true);
        await File.WriteAllTextAsync(Token, "first\n");
        await using var services = Services(o =>
        {
            o.Xds.Server = server.Address;
            o.Identity.CertificateAuthority.RootCertificates = server.Roots;
        });
        var recorder = new SecretRecorder();
        var identity = WorkloadIdentityFactory.Create(services)!;
        _open.Add(identity);
        using var watch = identity.Watch(ISecretSource.Certificate, recorder);

        identity.Start();
        var first = await recorder.NextAsync();
        server.Tokens.ShouldBe(["Bearer first"]);
        await File.WriteAllTextAsync(Token, "second");
        for (var hour = 0; hour < 12; hour++)
        {
            await _time.WaitForTimerAsync(CertificateAuthoritySource.LongestWait).WaitAsync(Guard);
            _time.Advance(CertificateAuthoritySource.LongestWait);
        }

        var second = await recorder.NextAsync();
        server.Tokens.ShouldBe(["Bearer first", "Bearer second"]);
        second.Certificate!.Get().TargetCertificate.SerialNumber.ShouldNotBe(first.Certificate!.Get().TargetCertificate.SerialNumber);
        identity.Status.Source.ShouldBe("the certificate authority " + server.Address);
    }

    [Fact]
    public async Task An_authority_whose_own_certificate_is_not_trusted_gets_no_token()
    {
        var server = await ServerAsync(tls: true);
        await File.WriteAllTextAsync(Token, "secret-token");
        var other = Path.Combine(_folder, "other.pem");
        await File.WriteAllTextAsync(other, Pki.Authority("other").ExportCertificatePem());
        await using var services = Services(o =>
        {
            o.Xds.Server = server.Address;
            o.Identity.CertificateAuthority.RootCertificates = other;
        });

        (await FirstErrorAsync(services)).ShouldStartWith("Unavailable: ");
        server.Tokens.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://203.0.113.1:15010")]
    [InlineData("xds.example.invalid:15010")]
    public async Task A_token_is_not_sent_in_clear_text(string address)
    {
        await File.WriteAllTextAsync(Token, "secret-token");
        await using var services = Services(o => o.Xds.Server = address);

        var error = await FirstErrorAsync(services);

        error.ShouldContain($"is not sent to {address} in clear text");
        error.ShouldNotContain("secret-token");
    }

    [Fact]
    public async Task A_token_may_be_sent_to_this_machine()
    {
        var server = await ServerAsync(tls: false);
        await File.WriteAllTextAsync(Token, "local");
        await using var services = Services(o => o.Xds.Server = server.Address);
        var identity = WorkloadIdentityFactory.Create(services)!;
        _open.Add(identity);
        identity.Start();

        await identity.Settled.WaitAsync(Guard);
        identity.IsReady.ShouldBeTrue();
        server.Tokens.ShouldBe(["Bearer local"]);
    }

    [Fact]
    public async Task What_the_authority_says_of_a_refusal_is_told()
    {
        var server = await ServerAsync(tls: false);
        server.Authority.Fault = new RpcException(StatusCode.PermissionDenied, "default/reviews is not yours");
        await using var services = Services(o =>
        {
            o.Xds.Server = server.Address;
            o.Identity.Source = MeshIdentitySource.CertificateAuthority;
        });

        (await FirstErrorAsync(services)).ShouldBe("PermissionDenied: default/reviews is not yours");
        server.Tokens.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_start_waits_for_the_certificate_for_a_while_and_no_longer()
    {
        var silent = new Silent();
        await using var services = Services(o => o.Identity.Source = MeshIdentitySource.CertificateAuthority, s => s.AddSingleton<ICertificateIssuer>(silent));
        var service = services.GetServices<IHostedService>().OfType<WorkloadIdentityService>().Single();

        var starting = service.StartingAsync(CancellationToken.None);
        await silent.Asked.Task.WaitAsync(Guard);
        starting.IsCompleted.ShouldBeFalse();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(5)).WaitAsync(Guard);
        _time.Advance(TimeSpan.FromSeconds(5));

        await starting.WaitAsync(Guard);
    }

    [Fact]
    public async Task A_start_does_not_wait_for_what_will_not_come_by_waiting()
    {
        await using var services = Services(o => o.Identity.Source = MeshIdentitySource.CertificateAuthority, s => s.AddSingleton<ICertificateIssuer>(
            new TestAuthority(_time) { Fault = new RpcException(StatusCode.Unauthenticated, "who are you?") }));

        await services.GetServices<IHostedService>().OfType<WorkloadIdentityService>().Single().StartingAsync(CancellationToken.None).WaitAsync(Guard);
    }

    [Fact]
    public async Task Certificate_providers_of_the_bootstrap_go_before_all_else()
    {
        var certificate = Pki.Workload(Pki.Authority("root"), TestAuthority.Workload);
        var (chain, key) = (Path.Combine(_folder, "c.pem"), Path.Combine(_folder, "k.pem"));
        await File.WriteAllTextAsync(chain, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Token, "token");
        var provider = $$"""{"plugin_name": "file_watcher", "config": {"certificate_file": "{{chain}}", "private_key_file": "{{key}}" } }""";

        await using var services = Services(o => o.Xds.Server = "http://127.0.0.1:1", s => s.AddSingleton(Bootstrap($$"""{"google_cloud_private_spiffe": {{provider}} }""")));
        WorkloadIdentityFactory.Create(services)!.Status.Source.ShouldBe("the files of certificate_providers.google_cloud_private_spiffe.config in the gRPC bootstrap");

        await using var several = Services(o => { }, s => s.AddSingleton(Bootstrap($$"""{"a": {{provider}}, "b": {{provider}} }""")));
        Should.Throw<InvalidOperationException>(() => WorkloadIdentityFactory.Create(several)).Message.ShouldContain("has a, b; call the one for this workload 'default'");

        await using var none = Services(o => o.Identity.Source = MeshIdentitySource.FileWatcher);
        Should.Throw<InvalidOperationException>(() => WorkloadIdentityFactory.Create(none)).Message.ShouldContain("has no certificate_providers");
    }

    [Fact]
    public async Task Settings_that_contradict_themselves_are_told_all_at_once()
    {
        await using var services = Services(o =>
        {
            o.Workload.ServiceAccount = "a/b";
            o.Identity.Source = MeshIdentitySource.Files;
            o.Identity.TrustDomain = "Cluster.local";
            o.Identity.StartupTimeout = TimeSpan.FromSeconds(-1);
            o.Identity.CertificateAuthority.Address = "http://a:1";
            o.Identity.CertificateAuthority.RootCertificates = "/no/such/file";
            o.Identity.CertificateAuthority.RenewAfter = 1;
            o.Identity.CertificateAuthority.RenewJitter = 0.5;
            o.Identity.CertificateAuthority.Lifetime = TimeSpan.FromSeconds(1);
            o.Identity.CertificateAuthority.RequestTimeout = TimeSpan.Zero;
            o.Identity.WorkloadApi.Socket = "tcp://a";
            o.Identity.WorkloadApi.CertificateName = "";
            o.Identity.Files.PrivateKey = "/key";
            o.Identity.Files.RefreshInterval = TimeSpan.Zero;
        });

        var failures = Should.Throw<OptionsValidationException>(() => services.GetRequiredService<IOptions<MeshOptions>>().Value).Failures.ToList();

        failures.Count.ShouldBe(14);
        failures.ShouldContain("Mesh:Identity:TrustDomain is 'Cluster.local'; it may have lower-case letters, digits, dots, dashes and underscores, such as cluster.local.");
        failures.ShouldContain("Mesh:Identity:Files has a PrivateKey without a Certificate; name both files.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open)
        {
            await open.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> FirstErrorAsync(IServiceProvider services)
    {
        var recorder = new SecretRecorder();
        var identity = WorkloadIdentityFactory.Create(services)!;
        _open.Add(identity);
        identity.Watch(ISecretSource.Certificate, recorder);
        identity.Start();
        return (await recorder.NextErrorAsync()).Error.Message;
    }

    private ServiceProvider Services(Action<MeshOptions> configure, Action<IServiceCollection>? register = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(_time);
        services.AddSingleton<IRandomSource>(new SequenceRandomSource(1));
        register?.Invoke(services);
        services.AddMeshDataPlane(o =>
        {
            o.Xds.Server = "http://127.0.0.1:1";
            o.Identity.CertificateAuthority.TokenFile = Token;
            configure(o);
        });
        return services.BuildServiceProvider();
    }

    private static XdsBootstrap Bootstrap(string providers)
        => BootstrapReader.Read($$"""{"xds_servers": [{"server_uri": "127.0.0.1:1", "channel_creds": [{"type": "insecure"}]}], "certificate_providers": {{providers}} }""", "test");

    private async Task<AuthorityServer> ServerAsync(bool tls)
    {
        var server = await AuthorityServer.StartAsync(_time, tls, _folder);
        _open.Add(server);
        return server;
    }

    private sealed class Silent : ICertificateIssuer
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Target => "that is silent";

        public Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            return new TaskCompletionSource<IssuedCertificate>().Task;
        }
    }

    /// <summary>Istio's certificate service on Kestrel.</summary>
    private sealed class AuthorityServer(WebApplication app, TestAuthority authority, string roots) : IAsyncDisposable
    {
        public TestAuthority Authority => authority;

        public string Roots => roots;

        public string Address => app.Urls.Single().Replace("[::]", "127.0.0.1", StringComparison.Ordinal);

        public List<string> Tokens { get; } = [];

        public static async Task<AuthorityServer> StartAsync(TimeProvider time, bool tls, string folder)
        {
            var root = Pki.Authority("server root");
            var roots = Path.Combine(folder, "server-root.pem");
            await File.WriteAllTextAsync(roots, root.ExportCertificatePem());
            var names = new System.Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelHttpsConfiguration();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (tls)
                {
                    listen.UseHttps(Pki.Leaf(root, r => r.CertificateExtensions.Add(names.Build())));
                }
            }));
            var app = builder.Build();
            var server = new AuthorityServer(app, new TestAuthority(time), roots);
            app.MapGrpcUnary<IstioCertificateRequest, IstioCertificateResponse>(GrpcCertificateIssuer.CreateCertificatePath, IstioCertificateRequest.Parser, async (request, context, cancellation) =>
            {
                server.Tokens.Add(context.Request.Headers.Authorization.ToString());
                var csr = System.Security.Cryptography.PemEncoding.Find(request.Csr);
                var issued = await server.Authority.IssueAsync(
                    new CertificateSigningRequest(Convert.FromBase64String(request.Csr[csr.Base64Data]), TimeSpan.FromSeconds(request.ValidityDuration)), CallerCredentials.None, cancellation);
                return new IstioCertificateResponse { CertChain = { issued.Chain, issued.Roots } };
            });
            await app.StartAsync();
            return server;
        }

        public async ValueTask DisposeAsync() => await app.DisposeAsync();
    }
}
