using System.Net;
using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Clusters;

/// <summary>
/// What is known of the health of one cluster's hosts, and who finds it out. Hosts are known by their address: neither new endpoints nor other
/// connection settings make them forget. Belongs to the configuration path.
/// </summary>
internal sealed class ClusterHealth(
    string cluster, IEndpointTransportFactory transports, TimeProvider time, IRandomSource random, HostEvents events, Action changed) : IDisposable
{
    private readonly Dictionary<EndPoint, HostHealth> _hosts = [];
    private readonly ClusterTraffic _traffic = new();
    private EndpointsResource? _current;

    /// <summary>Outlier detection, when the cluster has it.</summary>
    public OutlierDetector? Outliers { get; private set; }

    /// <summary>Active health checks, when the cluster has them.</summary>
    public HealthChecker? Checks { get; private set; }

    /// <summary>Whether there is something to go by: with active checks, the first result of every host.</summary>
    public bool IsWarm => Checks is null || Checks.IsWarm;

    public HostHealth Of(EndpointResource endpoint) => _hosts[endpoint.Address];

    /// <summary>Takes over the settings and hosts of a new state, before its endpoint set is built.</summary>
    /// <returns>The hosts to use: those given, and those that discovery has dropped while their checks still pass.</returns>
    public EndpointsResource Update(ClusterPolicy policy, EndpointsResource endpoints)
    {
        UseOutlierDetection(policy.OutlierDetection);
        UseHealthChecks(policy.HealthCheck);
        if (Checks is not null && !policy.IgnoreHealthOnHostRemoval && _current is not null)
        {
            endpoints = DroppedHosts.Keep(_current, endpoints, host => _hosts.TryGetValue(host.Address, out var h) && Checks.HasResult(h) && !h.Has(HealthFlags.FailedActiveHealthCheck));
        }

        var present = new HashSet<EndPoint>();
        foreach (var endpoint in endpoints.Localities.SelectMany(l => l.Endpoints))
        {
            if (present.Add(endpoint.Address))
            {
                var isNew = !_hosts.TryGetValue(endpoint.Address, out var health);
                if (health is null)
                {
                    health = new HostHealth(_traffic);
                    _hosts.Add(endpoint.Address, health);
                }

                Observe(health, endpoint, policy, isNew);
            }
        }

        foreach (var (address, health) in _hosts)
        {
            if (!present.Contains(address))
            {
                _hosts.Remove(address);
                Outliers?.Remove(health);
                Checks?.Remove(health);
                health.Monitor = null;
            }
        }

        _current = endpoints;
        return endpoints;
    }

    public void Dispose()
    {
        Outliers?.Dispose();
        Checks?.Dispose();
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

    private void UseHealthChecks(HealthCheckPolicy? policy)
    {
        if (policy is null)
        {
            Checks?.Dispose();
            Checks = null;
        }
        else
        {
            Checks ??= new HealthChecker(cluster, transports, time, random, events, OnChecked);
            Checks.Use(policy);
        }
    }

    private void Observe(HostHealth health, EndpointResource endpoint, ClusterPolicy policy, bool isNew)
    {
        var outlier = Outliers?.Add(health, endpoint.AddressText);
        var session = Checks?.Add(health, endpoint, policy, isNew);
        if (health.Monitor is { } monitor ? monitor.Outlier != outlier || monitor.HealthCheck != session : outlier is not null || session is not null)
        {
            health.Monitor = outlier is null && session is null ? null : new HostMonitor(outlier, session);
        }
    }

    private void OnChecked(HealthCheckSession session, bool passed, bool healthChanged)
    {
        if (passed && !session.Health.Has(HealthFlags.FailedActiveHealthCheck))
        {
            healthChanged |= Outliers?.OnHealthCheckPassed(session.Health) == true;
        }

        if (healthChanged)
        {
            changed();
        }
    }
}
