using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Mesh.Testing;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Xds.Tests.Serving;

/// <summary>The engine with an in-memory backend behind it and clients of the test's own in front.</summary>
internal sealed class AdsServerFixture : IAsyncDisposable
{
    private readonly InProcessAdsTransport _transport;

    public AdsServerFixture(AdsServerLimits? limits = null)
    {
        Server = new AdsServer(Backend, NullLogger<AdsServer>.Instance, limits, Time);
        _transport = new InProcessAdsTransport(Server);
    }

    public ManualTimeProvider Time { get; } = new();

    public InMemoryBackend Backend { get; } = new();

    public AdsServer Server { get; }

    public async Task<SotwPeer> ConnectAsync() => new(await _transport.OpenStreamAsync(CancellationToken.None));

    public async Task<DeltaPeer> ConnectDeltaAsync() => new(await _transport.OpenDeltaStreamAsync(CancellationToken.None));

    public void SetListener(string name, string content = "") =>
        Backend.Set(TypeUrls.Listener, new AdsResource(name, new Listener { Name = name, StatPrefix = content }));

    public void SetRoute(string name, string content = "") =>
        Backend.Set(TypeUrls.RouteConfiguration, new AdsResource(name, new RouteConfiguration { Name = name, VirtualHosts = { new VirtualHost { Name = content } } }));

    public void SetCluster(string name, string content = "") =>
        Backend.Set(TypeUrls.Cluster, new AdsResource(name, new Cluster { Name = name, AltStatName = content }));

    public void SetEndpoints(string name, uint weight = 1) =>
        Backend.Set(TypeUrls.ClusterLoadAssignment, new AdsResource(name, new ClusterLoadAssignment
        {
            ClusterName = name,
            Endpoints = { new LocalityLbEndpoints { LoadBalancingWeight = weight } },
        }));

    public void SetSecret(string name) =>
        Backend.Set(TypeUrls.Secret, new AdsResource(name, new Envoy.Extensions.TransportSockets.Tls.V3.Secret { Name = name }));

    public long Push(string typeUrl, params string[] names) =>
        Server.Push(new AdsChange(new Dictionary<string, IReadOnlySet<string>?> { [typeUrl] = names.Length == 0 ? null : names.ToHashSet() }));

    public long PushAll() => Server.Push(AdsChange.Everything);

    public ValueTask DisposeAsync() => _transport.DisposeAsync();
}
