using System.Net;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>
/// What is known of the health of one cluster's hosts, and who finds it out. Hosts are known by their address: neither new endpoints nor other
/// connection settings make them forget. Belongs to the configuration path.
/// </summary>
internal sealed class ClusterHealth(TimeProvider time, IRandomSource random, HostEvents events, Action changed) : IDisposable
{
    private readonly Dictionary<EndPoint, HostHealth> _hosts = [];

    /// <summary>Outlier detection, when the cluster has it.</summary>
    public OutlierDetector? Outliers { get; private set; }

    public HostHealth Of(EndpointResource endpoint) => _hosts[endpoint.Address];

    /// <summary>Takes over the settings and hosts of a new state, before its endpoint set is built.</summary>
    public void Update(ClusterPolicy policy, EndpointsResource endpoints)
    {
        UseOutlierDetection(policy.OutlierDetection);

        var present = new HashSet<EndPoint>();
        foreach (var endpoint in endpoints.Localities.SelectMany(l => l.Endpoints))
        {
            if (!present.Add(endpoint.Address))
            {
                continue;
            }

            if (!_hosts.TryGetValue(endpoint.Address, out var health))
            {
                health = new HostHealth();
                _hosts.Add(endpoint.Address, health);
            }

            Observe(health, endpoint);
        }

        foreach (var (address, health) in _hosts)
        {
            if (!present.Contains(address))
            {
                _hosts.Remove(address);
                Outliers?.Remove(health);
                health.Monitor = null;
            }
        }
    }

    public void Dispose()
    {
        Outliers?.Dispose();
        foreach (var health in _hosts.Values)
        {
            health.Monitor = null;
        }

        _hosts.Clear();
    }

    private void UseOutlierDetection(OutlierDetectionPolicy? policy)
    {
        if (policy is null)
        {
            Outliers?.Dispose();
            Outliers = null;
        }
        else if (Outliers is null)
        {
            Outliers = new OutlierDetector(policy, time, random, events, changed);
            Outliers.Start();
        }
        else if (Outliers.Policy != policy)
        {
            Outliers.Use(policy);
        }
    }

    private void Observe(HostHealth health, EndpointResource endpoint)
    {
        var outlier = Outliers?.Add(health, endpoint.AddressText);
        if (outlier != health.Monitor?.Outlier)
        {
            health.Monitor = outlier is null ? null : new HostMonitor(outlier, failImmediately: null);
        }
    }
}
