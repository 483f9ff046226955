using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>The active health checks of one cluster: a session for each host. Belongs to the configuration path.</summary>
internal sealed class HealthChecker(
    string cluster,
    IEndpointTransportFactory transports,
    TimeProvider time,
    IRandomSource random,
    HostEvents events,
    Action<HealthCheckSession, bool, bool> completed) : IDisposable
{
    private readonly Dictionary<HostHealth, (HealthCheckSession Session, EndpointHealthCheck? Asked, TransportSettings Transport)> _sessions = [];

    // The connections of checks are none of the cluster's traffic: they are counted apart.
    private readonly Cluster _connections = new(cluster);
    private HealthCheckPolicy? _policy;

    /// <summary>Whether every host has been checked once: before that nothing is known of them.</summary>
    public bool IsWarm => _sessions.Values.All(s => s.Session.HasResult);

    /// <summary>Goes on with these settings; other ones begin every session anew, with the health known so far.</summary>
    public void Use(HealthCheckPolicy policy)
    {
        if (!policy.Equals(_policy))
        {
            End();
            _policy = policy;
        }
    }

    /// <summary>Sees to it that a host is checked as it wants to be.</summary>
    /// <returns>Its session; <see langword="null"/> when it does not want to be checked.</returns>
    public HealthCheckSession? Add(HostHealth health, EndpointResource endpoint, ClusterPolicy policy, bool isNew)
    {
        var transport = TransportTo(endpoint, policy);
        if (_sessions.TryGetValue(health, out var known))
        {
            if (known.Asked == endpoint.HealthCheck && known.Transport == transport)
            {
                return known.Session;
            }

            Remove(health);
        }

        if (endpoint.HealthCheck is { Disabled: true })
        {
            Forget(health);
            return null;
        }

        // A new host is unhealthy until a check has passed; one that serves already is innocent until a check has failed.
        if (isNew)
        {
            health.Set(HealthFlags.FailedActiveHealthCheck | (policy.IgnoreNewHostsUntilFirstHealthCheck ? HealthFlags.PendingActiveHealthCheck : 0));
        }

        var session = new HealthCheckSession(_policy!, health, endpoint.AddressText, _policy!.Kind.CreateProbe(Target(endpoint, transport)), time, random, events, completed);
        _sessions.Add(health, (session, endpoint.HealthCheck, transport));
        session.Start();
        return session;
    }

    public void Remove(HostHealth health)
    {
        if (_sessions.Remove(health, out var ended))
        {
            ended.Session.Dispose();
        }
    }

    public bool HasResult(HostHealth health) => _sessions.TryGetValue(health, out var known) && known.Session.HasResult;

    /// <summary>Ends all checks: nobody is unhealthy by them any more.</summary>
    public void Dispose()
    {
        foreach (var health in _sessions.Keys)
        {
            Forget(health);
        }

        End();
    }

    private static void Forget(HostHealth health) => health.Clear(
        HealthFlags.FailedActiveHealthCheck | HealthFlags.DegradedActiveHealthCheck | HealthFlags.PendingActiveHealthCheck
        | HealthFlags.ExcludedByImmediateFailure | HealthFlags.ActiveHealthCheckTimeout);

    private void End()
    {
        foreach (var (session, _, _) in _sessions.Values)
        {
            session.Dispose();
        }

        _sessions.Clear();
    }

    // A check may ask for another transport than the endpoint's own requests have.
    private TransportSettings TransportTo(EndpointResource endpoint, ClusterPolicy policy)
        => _policy!.TransportCriteria is { } criteria ? policy.TransportOf(criteria) ?? policy.Transport : policy.TransportTo(endpoint);

    private HealthCheckTarget Target(EndpointResource endpoint, TransportSettings transport)
    {
        var asked = endpoint.HealthCheck;
        var address = asked?.Address ?? endpoint.Address;
        var port = asked is { Port: > 0 } ? asked.Port : asked?.Address is null ? _policy!.AlternativePort : null;
        if (port is { } other)
        {
            address = address switch
            {
                IPEndPoint ip => new IPEndPoint(ip.Address, other),
                DnsEndPoint dns => new DnsEndPoint(dns.Host, other),
                _ => address,
            };
        }

        var target = endpoint with { Address = address };
        // A cluster may be called anything, a host may not.
        var name = cluster.AsSpan().ContainsAnyExceptInRange('!', '~') ? LogicalHost.AddressOf(address).ToString()! : cluster;
        var settings = _policy!.Protocols is { Count: > 0 } protocols && transport.Tls is { } tls ? transport with { Tls = tls.Offering(protocols) } : transport;
        return new HealthCheckTarget(address, name, asked?.Hostname, settings.Tls is not null, protocol => transports.Create(_connections, target, settings with { Protocol = protocol, IntroducesItself = false }));
    }
}
