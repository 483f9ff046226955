using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using DataPlaneCluster = Mesh.DataPlane.Clusters.Cluster;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>One cluster that finds its endpoints by name; names, control plane and clock are the test's.</summary>
public abstract class DnsClusterScenario
{
    protected const string Name = "api";
    protected const string Host = "api.example.com";
    protected static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly Lock _sync = new();
    private readonly ClusterRegistry _clusters;

    protected ManualTimeProvider Time { get; } = new();

    private protected ScriptedXdsClient Xds { get; } = new();

    private protected ScriptedResolver Dns { get; }

    protected DnsClusterScenario()
    {
        Dns = new ScriptedResolver(Time);
        var random = new SequenceRandomSource(1); // Always the middle.
        var discovery = new DnsDiscovery(Dns, random, Time, NullLogger.Instance);
        _clusters = new ClusterRegistry(Xds, new SocketTransportFactory(Time), discovery, random, Time, new ResourceNotes(NullLogger.Instance), NullLogger.Instance, _sync);
    }

    private protected static Cluster Strict(string host, Action<Cluster>? configure = null) => OfType(Cluster.Types.DiscoveryType.StrictDns, host, configure);

    private protected static Cluster Logical(string host, Action<Cluster>? configure = null) => OfType(Cluster.Types.DiscoveryType.LogicalDns, host, configure);

    private protected static Cluster OfType(Cluster.Types.DiscoveryType type, string host, Action<Cluster>? configure)
    {
        var message = new Cluster
        {
            Name = Name,
            Type = type,
            LoadAssignment = new ClusterLoadAssignment { ClusterName = Name, Endpoints = { new LocalityLbEndpoints { LbEndpoints = { Resources.Endpoint(host, 80) } } } },
        };
        configure?.Invoke(message);
        return message;
    }

    private protected static Duration Seconds(int seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private protected static IEnumerable<string> Addresses(DataPlaneCluster cluster) => cluster.Current.Endpoints.Endpoints.Select(e => e.Resource.Address.ToString()!);

    private protected DataPlaneCluster Acquire(Cluster message)
    {
        Xds.Set(ClusterType.Instance, message);
        lock (_sync)
        {
            return _clusters.Acquire(Name);
        }
    }

    private protected void Release(DataPlaneCluster cluster)
    {
        lock (_sync)
        {
            _clusters.Release(cluster);
        }
    }

    // The first questions are asked on other threads; what follows happens while the clock moves.
    private protected async Task<DataPlaneCluster> StartAsync(Cluster message, int names = 1)
    {
        var cluster = Acquire(message);
        await cluster.Answered.WaitAsync(Hang);
        await Time.WaitForTimersAsync(names).WaitAsync(Hang);
        return cluster;
    }
}
