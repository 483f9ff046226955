using System.Net.Sockets;
using System.Threading.Channels;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Testing;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>An agent on this machine that hands out certificates by SDS on a Unix socket.</summary>
public sealed class WorkloadApiSourceTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sds").FullName;
    private readonly LogRecorder _log = new();
    private readonly SecretRecorder _certificates = new();
    private readonly SecretRecorder _authorities = new();
    private WorkloadIdentity? _identity;
    private Agent? _agent;

    [Fact]
    public async Task The_certificate_and_the_authorities_come_from_the_agent_and_change_when_it_says_so()
    {
        var root = Pki.Authority("root");
        var first = Pki.Workload(root, TestAuthority.Workload);
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(Certificate("default", first));
        await _agent.SendAsync(Authorities("ROOTCA", root.ExportCertificatePem()));
        var identity = Start(new MeshWorkloadApiOptions());

        var own = (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate;
        own.RawData.ShouldBe(first.RawData);
        own.HasPrivateKey.ShouldBeTrue();
        (await Judgement.OfAsync((await _authorities.NextAsync()).Validation!, own)).ShouldBeNull();
        await identity.Settled.WaitAsync(TimeSpan.FromSeconds(30));
        identity.Status.Id.ToString().ShouldBe(TestAuthority.Workload);

        // As Envoy asks: each secret on a stream of its own, in the state-of-the-world variant.
        _agent.Asked.Order().ShouldBe(["ROOTCA", "default"]);

        var second = Pki.Workload(root, TestAuthority.Workload);
        await _agent.SendAsync(Certificate("default", second));
        (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate.RawData.ShouldBe(second.RawData);
        await _agent.SendAsync(Authorities("ROOTCA", root.ExportCertificatePem() + "\n" + Pki.Authority("next").ExportCertificatePem()));
        (await _authorities.NextAsync()).Validation!.TrustedCa.InlineString.ShouldContain("\n-----BEGIN");
    }

    [Fact]
    public async Task Names_are_the_agents_and_authorities_may_be_those_of_federated_trust_domains()
    {
        var root = Pki.Authority("root");
        var certificate = Pki.Workload(root, TestAuthority.Workload);
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(Certificate(TestAuthority.Workload, certificate));
        await _agent.SendAsync(new Secret
        {
            Name = "ALL",
            ValidationContext = new CertificateValidationContext
            {
                CustomValidatorConfig = new()
                {
                    Name = "envoy.tls.cert_validator.spiffe",
                    TypedConfig = Any.Pack(new SPIFFECertValidatorConfig
                    {
                        TrustDomains = { new SPIFFECertValidatorConfig.Types.TrustDomain { Name = "cluster.local", TrustBundle = new() { InlineString = root.ExportCertificatePem() } } },
                    }),
                },
            },
        });
        Start(new MeshWorkloadApiOptions { CertificateName = TestAuthority.Workload, AuthoritiesName = "ALL" });

        (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate.RawData.ShouldBe(certificate.RawData);
        var context = (await _authorities.NextAsync()).Validation!;
        (await Judgement.OfAsync(context, certificate)).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(root, "spiffe://other/a"))).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_secret_that_cannot_be_used_leaves_the_last_good_one_in_use()
    {
        var root = Pki.Authority("root");
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(Certificate("default", Pki.Workload(root, TestAuthority.Workload)));
        await _agent.SendAsync(Authorities("ROOTCA", root.ExportCertificatePem()));
        var identity = Start(new MeshWorkloadApiOptions());
        await _certificates.NextAsync();
        await _authorities.NextAsync();
        var serial = identity.Status.SerialNumber;

        var mixed = Certificate("default", Pki.Workload(root, TestAuthority.Workload));
        mixed.TlsCertificate.PrivateKey = Certificate("x", Pki.Workload(root, TestAuthority.Workload)).TlsCertificate.PrivateKey;
        await _agent.SendAsync(mixed);
        (await _certificates.NextErrorAsync()).IsAmbient.ShouldBeTrue();
        (await _agent.NextNackAsync()).ShouldContain("tls_certificate");
        identity.Status.SerialNumber.ShouldBe(serial);

        await _agent.SendAsync(Authorities("ROOTCA", "no PEM"));
        (await _authorities.NextErrorAsync()).IsAmbient.ShouldBeTrue();
        _log.Entries.ShouldAllBe(e => !e.Text.Contains("PRIVATE"));
    }

    [Fact]
    public async Task An_agent_that_is_not_there_yet_is_waited_for_and_one_that_comes_back_is_asked_again()
    {
        var time = new ManualTimeProvider(Pki.Now);
        Start(new MeshWorkloadApiOptions(), time);
        (await _certificates.NextErrorAsync()).ShouldSatisfyAllConditions(
            e => e.IsAmbient.ShouldBeFalse(), e => e.Error.Kind.ShouldBe(ResourceErrorKind.Unavailable), e => e.Error.Message.ShouldContain(Socket));
        await _authorities.NextErrorAsync();

        var root = Pki.Authority("root");
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(Certificate("default", Pki.Workload(root, TestAuthority.Workload)));
        await _agent.SendAsync(Authorities("ROOTCA", root.ExportCertificatePem()));

        // Each of the two streams waits for itself.
        await time.WaitForTimersAsync(2, TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(1));

        await _certificates.NextAsync();
        await _authorities.NextAsync();
    }

    [Fact]
    public async Task An_agent_that_is_back_with_what_it_had_is_no_trouble_any_more()
    {
        var time = new ManualTimeProvider(Pki.Now);
        var root = Pki.Authority("root");
        var certificate = Certificate("default", Pki.Workload(root, TestAuthority.Workload));
        var authorities = Authorities("ROOTCA", root.ExportCertificatePem());
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(certificate);
        await _agent.SendAsync(authorities);
        var identity = Start(new MeshWorkloadApiOptions(), time);
        await _certificates.NextAsync();
        await _authorities.NextAsync();

        await _agent.DisposeAsync();
        (await _certificates.NextErrorAsync()).IsAmbient.ShouldBeTrue();
        (await _authorities.NextErrorAsync()).IsAmbient.ShouldBeTrue();
        identity.Status.LastError.ShouldNotBeNull();
        await time.WaitForTimersAsync(2, TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(30));
        _agent = await Agent.StartAsync(Socket);
        await _agent.SendAsync(certificate);
        await _agent.SendAsync(authorities);
        time.Advance(TimeSpan.FromSeconds(1));

        await _log.UntilAsync(e => e.Text.Contains("what was wrong has passed"), 2);
        identity.Status.LastError.ShouldBeNull();
        _certificates.HasMore.ShouldBeFalse("it is the one that is in use");
    }

    [Theory]
    [InlineData("unix:///run/spire/agent.sock", null, "unix:///run/spire/agent.sock")]
    [InlineData("/run/spire/agent.sock", "unix:///elsewhere", "unix:/run/spire/agent.sock")]
    [InlineData(null, "unix:///tmp/agent.sock", "unix:///tmp/agent.sock")]
    [InlineData(null, null, "unix:/var/run/secrets/workload-spiffe-uds/socket")]
    public void The_socket_is_the_settings_the_environments_or_Istios(string? setting, string? variable, string expected)
        => WorkloadApiSource.TargetOf(new MeshWorkloadApiOptions { Socket = setting }, name => name == "SPIFFE_ENDPOINT_SOCKET" ? variable : null).ShouldBe(expected);

    public async ValueTask DisposeAsync()
    {
        if (_identity is not null)
        {
            await _identity.DisposeAsync();
        }

        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Socket => Path.Combine(_folder, "socket");

    // Certificates are of 2030, and the agent's streams are of now: only what certificates are held to stands still.
    private WorkloadIdentity Start(MeshWorkloadApiOptions options, TimeProvider? time = null)
    {
        var clock = time ?? new ManualTimeProvider(Pki.Now);
        _identity = new WorkloadIdentity(
            new WorkloadApiSource("unix:" + Socket, options, new XdsClientOptions { Node = new() { Id = "test" }, TimeProvider = clock, Random = new SequenceRandomSource(1) }), clock, _log);
        _identity.Watch(ISecretSource.Certificate, _certificates);
        _identity.Watch(ISecretSource.Authorities, _authorities);
        _identity.Start();
        return _identity;
    }

    private static Secret Certificate(string name, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate) => new()
    {
        Name = name,
        TlsCertificate = new TlsCertificate
        {
            CertificateChain = new() { InlineString = certificate.ExportCertificatePem() },
            PrivateKey = new() { InlineString = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!.ExportPkcs8PrivateKeyPem() },
        },
    };

    private static Secret Authorities(string name, string pem) => new() { Name = name, ValidationContext = new() { TrustedCa = new() { InlineString = pem } } };

    /// <summary>Serves <c>StreamSecrets</c> on a Unix socket, and no other method, as SPIRE's and Istio's agents do.</summary>
    private sealed class Agent : IAsyncDisposable
    {
        private readonly Lock _gate = new();

        // A call is not written to by two at once: the one that has reached the client may not have come back yet.
        private readonly SemaphoreSlim _writing = new(1);
        private readonly Dictionary<string, Secret> _secrets = [];
        private readonly Dictionary<string, GrpcServerCall<DiscoveryRequest, DiscoveryResponse>> _streams = [];
        private readonly Channel<string> _nacks = Channel.CreateUnbounded<string>();
        private WebApplication? _app;
        private int _version;

        public List<string> Asked { get; } = [];

        public static async Task<Agent> StartAsync(string socket)
        {
            var agent = new Agent();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
            agent._app = builder.Build();
            agent._app.MapGrpcDuplex<DiscoveryRequest, DiscoveryResponse>(DiscoveryMethods.Secrets.Stream, DiscoveryRequest.Parser, agent.ServeAsync);
            agent._app.MapGrpcUnimplemented();
            await agent._app.StartAsync();
            return agent;
        }

        public async Task SendAsync(Secret secret)
        {
            GrpcServerCall<DiscoveryRequest, DiscoveryResponse>? stream;
            lock (_gate)
            {
                _secrets[secret.Name] = secret;
                _streams.TryGetValue(secret.Name, out stream);
            }

            if (stream is not null)
            {
                await WriteAsync(stream, secret);
            }
        }

        public Task<string> NextNackAsync() => _nacks.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        public async ValueTask DisposeAsync() => await _app!.DisposeAsync();

        private async Task ServeAsync(GrpcServerCall<DiscoveryRequest, DiscoveryResponse> call)
        {
            while (await call.ReadAsync(call.CancellationToken) is { } request)
            {
                if (request.ErrorDetail is { } error)
                {
                    _nacks.Writer.TryWrite(error.Message);
                }

                if (request.ResponseNonce.Length > 0)
                {
                    continue;
                }

                Secret? secret;
                lock (_gate)
                {
                    var name = request.ResourceNames.Single();
                    Asked.Add(name);
                    _streams[name] = call;
                    _secrets.TryGetValue(name, out secret);
                }

                if (secret is not null)
                {
                    await WriteAsync(call, secret);
                }
            }
        }

        private async Task WriteAsync(GrpcServerCall<DiscoveryRequest, DiscoveryResponse> call, Secret secret)
        {
            await _writing.WaitAsync(call.CancellationToken);
            try
            {
                await call.WriteAsync(Response(secret), call.CancellationToken);
            }
            finally
            {
                _writing.Release();
            }
        }

        private DiscoveryResponse Response(Secret secret)
        {
            var version = Interlocked.Increment(ref _version).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return new DiscoveryResponse { TypeUrl = TypeUrls.Secret, VersionInfo = version, Nonce = version, Resources = { new Any { TypeUrl = TypeUrls.Secret, Value = secret.ToByteString() } } };
        }
    }
}
