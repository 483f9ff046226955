using System.Net;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Tests.Hosting;
using Mesh.Testing;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Cli.Tests.Servers;

/// <summary>A control plane on ports of its own, with documents in memory and clients on real streams.</summary>
internal sealed class ControlPlaneUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly InMemoryConfigSource _source;
    private readonly List<AdsPeer> _peers = [];

    private ControlPlaneUnderTest(WebApplication app, InMemoryConfigSource source)
    {
        _app = app;
        _source = source;
        var urls = app.Urls.ToArray();
        (Xds, Monitoring) = (urls[0], urls[1]);
    }

    /// <summary>Where it speaks gRPC, which is HTTP/2.</summary>
    public string Xds { get; }

    /// <summary>Where it speaks HTTP/1.1.</summary>
    public string Monitoring { get; }

    public static async Task<ControlPlaneUnderTest> StartAsync(string yaml)
    {
        var time = new ManualTimeProvider();
        var source = new InMemoryConfigSource(time);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IConfigSource>(source);
        builder.Services.AddMeshControlPlane(options =>
        {
            options.PushDebounce = TimeSpan.Zero;
            options.PushDebounceMax = TimeSpan.Zero;
            options.RestartGrace = TimeSpan.Zero;
            options.RegistrationsFile = "";
            options.CertificateAuthority.Enabled = false;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenMeshXds(IPAddress.Loopback, 0);
            kestrel.ListenMeshMonitoring(IPAddress.Loopback, 0);
        });
        var app = builder.Build();
        app.MapMeshXds();
        app.MapMeshMonitoring();
        await app.StartAsync();
        var started = new ControlPlaneUnderTest(app, source);
        started.Apply(yaml);
        return started;
    }

    public void Apply(string yaml)
    {
        _source.Apply(yaml).Where(diagnostic => diagnostic.Severity == ConfigSeverity.Error).ShouldBeEmpty();
        _app.Services.GetRequiredService<DiscoveryServer>().Apply();
    }

    /// <summary>Documents that may be wrong.</summary>
    public void ApplyWrong(string yaml)
    {
        _source.Apply(yaml);
        _app.Services.GetRequiredService<DiscoveryServer>().Apply();
    }

    public async Task<AdsPeer> ConnectAsync(string id, string metadata, Func<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, string?>? refuse = null)
    {
        var node = new Envoy.Config.Core.V3.Node { Id = id, UserAgentName = "mesh", UserAgentVersion = "0.1.0", Metadata = Google.Protobuf.WellKnownTypes.Struct.Parser.ParseJson(metadata) };
        var peer = await AdsPeer.ConnectAsync(new InProcessAdsTransport(_app.Services.GetRequiredService<IAdsServer>(), "test"), node);
        peer.Refuse = refuse;
        _peers.Add(peer);
        return peer;
    }

    public Task SettleAsync() => _app.Services.GetRequiredService<DiscoveryServer>().FlushAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    public Task<CommandLine> RunAsync(params string[] arguments) => CommandLine.RunAsync(["--control-plane", Monitoring, .. arguments]);

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }

        await _app.DisposeAsync();
    }
}
