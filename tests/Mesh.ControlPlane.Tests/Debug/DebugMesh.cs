using System.Net;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Tests.Hosting;
using Mesh.Xds.Certificates;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.ControlPlane.Tests.Debug;

/// <summary>A control plane whose pages are read, with clients on real streams of its engine.</summary>
internal sealed class DebugMesh : IAsyncDisposable
{
    public static readonly CallerCredentials Local = new() { Remote = new IPEndPoint(IPAddress.Loopback, 4000) };

    private readonly ServiceProvider _provider;
    private readonly InMemoryConfigSource _source;
    private readonly List<AdsPeer> _peers = [];

    public DebugMesh(string yaml, Action<MeshControlPlaneOptions>? configure = null)
    {
        _source = new InMemoryConfigSource(Time);
        _provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IConfigSource>(_source)
            .AddMeshControlPlane(options =>
            {
                options.PushDebounce = TimeSpan.Zero;
                options.PushDebounceMax = TimeSpan.Zero;
                options.RestartGrace = TimeSpan.Zero;
                options.RegistrationsFile = "";
                options.CertificateAuthority.Folder = "";
                configure?.Invoke(options);
            })
            .Services.BuildServiceProvider();
        _provider.GetRequiredService<IAdsServer>();
        Apply(yaml);
    }

    public ManualTimeProvider Time { get; } = new();

    public IControlPlaneDebug Pages => _provider.GetRequiredService<IControlPlaneDebug>();

    public MetricRegistry Metrics => _provider.GetRequiredService<MetricRegistry>();

    public DiscoveryServer Discovery => _provider.GetRequiredService<DiscoveryServer>();

    public T Get<T>()
        where T : notnull => _provider.GetRequiredService<T>();

    public void Apply(string yaml)
    {
        _source.Apply(yaml).Where(diagnostic => diagnostic.Severity == ConfigSeverity.Error).ShouldBeEmpty();
        Discovery.Apply();
    }

    public async Task<AdsPeer> ConnectAsync(string id, string metadata, Func<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, string?>? refuse = null)
    {
        var peer = await AdsPeer.ConnectAsync(new InProcessAdsTransport(_provider.GetRequiredService<IAdsServer>(), "test"), TestNodes.Of(id, metadata));
        peer.Refuse = refuse;
        _peers.Add(peer);
        return peer;
    }

    public Task SettleAsync() => Discovery.FlushAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>A page, which must be there.</summary>
    /// <param name="page">Its name.</param>
    /// <param name="query">Its parameters, <c>name=value</c>.</param>
    public JsonNode Read(string page, params string[] query)
    {
        var reply = Ask(page, query);
        reply.StatusCode.ShouldBe(200, reply.Json);
        return JsonNode.Parse(reply.Json!)!;
    }

    public AdminReply Ask(string page, params string[] query) => Ask(Local, page, query);

    public AdminReply Ask(CallerCredentials caller, string page, params string[] query)
        => Pages.Read(caller, page, name => query.FirstOrDefault(pair => pair.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..]);

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }

        await _provider.DisposeAsync();
    }
}
