using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Testing;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.Xds.Tests.Client;

/// <summary>A client, its scripted server, and a clock that stands still.</summary>
public abstract class XdsClientFixture : IAsyncLifetime
{
    internal ManualTimeProvider Clock { get; } = new();

    internal ScriptedAdsTransport Server { get; } = new();

    internal XdsClient Client { get; set; } = null!;

    public Task InitializeAsync()
    {
        Client = Create();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await Client.DisposeAsync();

    internal XdsClient Create(bool delta = true, XdsServerFeatures features = XdsServerFeatures.None, int maxResources = 1000, bool areReplicas = false, params XdsServer[] fallbacks)
        => new(
            [new XdsServer(Server, features), .. fallbacks],
            new XdsClientOptions
            {
                Node = new Node { Id = "node" },
                Delta = delta,
                MaxResourcesPerType = maxResources,
                AreReplicas = areReplicas,
                TimeProvider = Clock,
                Random = new MiddleOfTheRoad(),
            });

    internal async Task UseAsync(bool delta = true, XdsServerFeatures features = XdsServerFeatures.None, int maxResources = 1000, bool areReplicas = false, params XdsServer[] fallbacks)
    {
        await Client.DisposeAsync();
        Client = Create(delta, features, maxResources, areReplicas, fallbacks);
    }

    internal static Any Cluster(string name, string content = "1") => Any(new Cluster { Name = name, AltStatName = content }, TypeUrls.Cluster);

    internal static Any Endpoints(string name) => Any(new ClusterLoadAssignment { ClusterName = name }, TypeUrls.ClusterLoadAssignment);

    internal static Resource Wrapped(string name, string version, Any? body, TimeSpan? ttl = null)
        => new() { Name = name, Version = version, Resource_ = body, Ttl = ttl is { } t ? Duration.FromTimeSpan(t) : null };

    internal static DeltaDiscoveryResponse Delta(string nonce, params Resource[] resources)
        => new() { TypeUrl = TypeUrls.Cluster, Nonce = nonce, SystemVersionInfo = nonce, Resources = { resources } };

    internal static DiscoveryResponse Sotw(string version, string nonce, params Any[] resources)
        => new() { TypeUrl = TypeUrls.Cluster, VersionInfo = version, Nonce = nonce, Resources = { resources } };

    private static Any Any(Google.Protobuf.IMessage message, string typeUrl)
        => new() { TypeUrl = typeUrl, Value = Google.Protobuf.MessageExtensions.ToByteString(message) };

    /// <summary>Draws 0.5: jitter adds nothing.</summary>
    private sealed class MiddleOfTheRoad : IRandomSource
    {
        public ulong NextUInt64() => 1UL << 63;
    }
}
