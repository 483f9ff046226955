using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded ClusterLoadAssignment.</summary>
/// <param name="ClusterName">The resource's name.</param>
/// <param name="Localities">In the order sent.</param>
/// <param name="OverprovisioningFactor">In percent; Envoy's default is 140.</param>
internal sealed record EndpointsResource(string ClusterName, LocalityResource[] Localities, uint OverprovisioningFactor) : Resource
{
    /// <summary>A level is as available as its available hosts weigh, instead of how many they are (<c>weighted_priority_health</c>).</summary>
    public bool WeightedPriorityHealth { get; init; }

    /// <summary>The share of requests that is dropped (<c>drop_overloads</c>), of 1.</summary>
    public double DropShare { get; init; }

    /// <summary>For what they are dropped: each category with the share up to which it and those before it drop.</summary>
    public IReadOnlyList<(string Category, double UpTo)> DropCategories { get; init; } = [];

    public static EndpointsResource Empty(string name) => new(name, [], 140);
}

/// <summary>The endpoints of one locality and priority.</summary>
internal sealed record LocalityResource(string Locality, uint Priority, uint Weight, EndpointResource[] Endpoints);

/// <summary>One endpoint as sent.</summary>
internal sealed record EndpointResource(EndPoint Address, string Hostname, uint Weight, EndpointHealth Health, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>What consistent hashing places it by instead of its address (<c>hash_key</c> of the metadata <c>envoy.lb</c>).</summary>
    public string? HashKey { get; init; }

    /// <summary>The health as it was sent.</summary>
    public HostStatuses Status { get; init; } = HostStatuses.Unknown;

    /// <summary>What the endpoint asks of its health checks.</summary>
    public EndpointHealthCheck? HealthCheck { get; init; }

    /// <summary>All that is said of it, for logs and expressions; <see langword="null"/> for nothing.</summary>
    public ResourceMetadata? Metadata { get; init; }

    /// <summary>What is said of it for the choice of a transport (metadata <c>envoy.transport_socket_match</c>).</summary>
    public IReadOnlyDictionary<string, Value>? TransportLabels { get; init; }

    /// <summary>Who is there (metadata <c>istio.workload</c>); <see langword="null"/> when nobody has said.</summary>
    public Peer? Peer { get; init; }

    /// <summary>What is said of its locality for that.</summary>
    public IReadOnlyDictionary<string, Value>? LocalityTransportLabels { get; init; }

    /// <summary>The address in Envoy's words: <c>1.2.3.4:80</c>, <c>[::1]:80</c>, a path.</summary>
    public string AddressText => Address is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : Address.ToString()!;
}
