using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf;
using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Resources;

/// <summary>Decodes cluster load assignments.</summary>
internal sealed class EndpointsType() : ResourceType<EndpointsResource>(TypeUrls.ClusterLoadAssignment, isFullStateInSotw: false)
{
    private const uint DefaultOverprovisioningFactor = 140;
    private const uint MaxPriority = 128;

    public static EndpointsType Instance { get; } = new();

    protected override EndpointsResource DecodeResource(ByteString body, out string name)
    {
        name = "";
        var message = WireMessage.Parse(ClusterLoadAssignment.Parser, body);
        name = message.ClusterName;
        var notes = WireMessage.Validate(message, body, ClusterLoadAssignment.Parser);
        return Compile(message, "", namesAllowed: false) with { Notes = [.. notes, .. NotHonoured(message, "")] };
    }

    /// <param name="message">The assignment.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="namesAllowed">DNS clusters name hosts; everywhere else an address is an IP address or a pipe.</param>
    public static EndpointsResource Compile(ClusterLoadAssignment message, string path, bool namesAllowed)
    {
        var localities = new List<LocalityResource>(message.Endpoints.Count);
        for (var l = 0; l < message.Endpoints.Count; l++)
        {
            var locality = message.Endpoints[l];
            var localityPath = $"{path}endpoints[{l}]";
            if (locality.Priority > MaxPriority)
            {
                throw new ResourceRejectedException(localityPath + ".priority", $"must be at most {MaxPriority}");
            }

            var endpoints = new EndpointResource[locality.LbEndpoints.Count];
            for (var e = 0; e < endpoints.Length; e++)
            {
                endpoints[e] = Compile(locality.LbEndpoints[e], $"{localityPath}.lb_endpoints[{e}]", namesAllowed) with { LocalityTransportLabels = TransportLabels(locality.Metadata) };
            }

            localities.Add(new LocalityResource(Name(locality.Locality), locality.Priority, locality.LoadBalancingWeight ?? 0, endpoints));
        }

        // Each category drops by its own chance, and is asked only about what those before it have left.
        var drops = new List<(string Category, double UpTo)>();
        var rest = 1.0;
        for (var i = 0; i < (message.Policy?.DropOverloads.Count ?? 0); i++)
        {
            var drop = message.Policy!.DropOverloads[i];
            rest *= 1 - Drop(drop, $"{path}policy.drop_overloads[{i}]");
            drops.Add((drop.Category, 1 - rest));
        }

        return new EndpointsResource(message.ClusterName, [.. localities], message.Policy?.OverprovisioningFactor ?? DefaultOverprovisioningFactor)
        {
            WeightedPriorityHealth = message.Policy?.WeightedPriorityHealth ?? false,
            DropShare = 1 - rest,
            DropCategories = drops,
        };
    }

    private static EndpointResource Compile(LbEndpoint endpoint, string path, bool namesAllowed)
    {
        if (endpoint.HostIdentifierCase == LbEndpoint.HostIdentifierOneofCase.EndpointName)
        {
            throw new ResourceRejectedException(path + ".endpoint_name", "is not supported; let the endpoint stand in endpoint");
        }

        if (endpoint.Endpoint?.Address is not { } address)
        {
            throw new ResourceRejectedException(path + ".endpoint.address", "must be set");
        }

        var weight = endpoint.LoadBalancingWeight ?? 1;
        if (weight == 0)
        {
            throw new ResourceRejectedException(path + ".load_balancing_weight", "must be at least 1");
        }

        var health = endpoint.HealthStatus switch
        {
            HealthStatus.Unknown or HealthStatus.Healthy => EndpointHealth.Healthy,
            HealthStatus.Degraded => EndpointHealth.Degraded,
            _ => EndpointHealth.Unhealthy,
        };

        return new EndpointResource(Address(address, path + ".endpoint.address", namesAllowed), endpoint.Endpoint.Hostname, weight, health, Labels(endpoint))
        {
            HashKey = HashKey(endpoint),
            Peer = Workload(endpoint) is { } workload ? Peer.OfEndpoint(workload) : null,
            TransportLabels = TransportLabels(endpoint.Metadata),
            Metadata = ResourceMetadata.Of(endpoint.Metadata),
            Status = Status(endpoint.HealthStatus),
            HealthCheck = HealthCheck(endpoint.Endpoint.HealthCheckConfig, path + ".endpoint.health_check_config"),
        };
    }

    private static EndpointHealthCheck? HealthCheck(Envoy.Config.Endpoint.V3.Endpoint.Types.HealthCheckConfig? message, string path)
        => message is null
            ? null
            : new EndpointHealthCheck(
                message.PortValue <= IPEndPoint.MaxPort ? (ushort)message.PortValue : throw new ResourceRejectedException(path + ".port_value", $"must be at most {IPEndPoint.MaxPort}"),
                message.Hostname.Length > 0 ? HealthCheckCompiler.Authority(message.Hostname, path + ".hostname") : null,
                message.Address is null ? null : Address(message.Address, path + ".address", namesAllowed: false),
                message.DisableActiveHealthCheck);

    private static EndPoint Address(Address address, string path, bool namesAllowed)
    {
        switch (address.AddressCase)
        {
            case Envoy.Config.Core.V3.Address.AddressOneofCase.SocketAddress:
                var socket = address.SocketAddress;
                if (socket.PortSpecifierCase != Envoy.Config.Core.V3.SocketAddress.PortSpecifierOneofCase.PortValue || socket.PortValue > IPEndPoint.MaxPort)
                {
                    throw new ResourceRejectedException(path + ".socket_address.port_value", $"must be set and at most {IPEndPoint.MaxPort}");
                }

                if (socket.ResolverName.Length > 0)
                {
                    throw new ResourceRejectedException(path + ".socket_address.resolver_name", $"'{socket.ResolverName}' is not known: there are no resolvers to choose from");
                }

                if (IPAddress.TryParse(socket.Address, out var ip))
                {
                    return new IPEndPoint(ip, (int)socket.PortValue);
                }

                return namesAllowed && DnsName.IsHost(socket.Address)
                    ? new DnsEndPoint(socket.Address, (int)socket.PortValue)
                    : throw new ResourceRejectedException(path + ".socket_address.address", $"'{socket.Address}' is not an IP address{(namesAllowed ? " or a DNS name" : "")}");
            case Envoy.Config.Core.V3.Address.AddressOneofCase.Pipe:
                try
                {
                    return new System.Net.Sockets.UnixDomainSocketEndPoint(address.Pipe.Path);
                }
                catch (ArgumentException)
                {
                    throw new ResourceRejectedException(path + ".pipe.path", $"'{address.Pipe.Path}' cannot be the path of a Unix socket");
                }

            default:
                throw new ResourceRejectedException(path, $"{address.AddressCase} is not supported");
        }
    }

    public static HostStatuses Status(HealthStatus status)
        => status switch
        {
            HealthStatus.Healthy => HostStatuses.Healthy,
            HealthStatus.Unhealthy => HostStatuses.Unhealthy,
            HealthStatus.Draining => HostStatuses.Draining,
            HealthStatus.Timeout => HostStatuses.Timeout,
            HealthStatus.Degraded => HostStatuses.Degraded,
            _ => HostStatuses.Unknown,
        };

    private static double Drop(ClusterLoadAssignment.Types.Policy.Types.DropOverload drop, string path)
    {
        if (drop.DropPercentage is not { } percentage)
        {
            return 0;
        }

        var fraction = Matching.MatcherCompiler.Fraction(percentage, path + ".drop_percentage");
        return Math.Min(1.0, (double)fraction.Numerator / fraction.Denominator);
    }

    /// <summary>What is carried and not done, in words.</summary>
    public static IEnumerable<string> NotHonoured(ClusterLoadAssignment message, string path)
    {
        if (message.NamedEndpoints.Count > 0)
        {
            yield return $"{path}named_endpoints are not looked up: endpoints stand where they are used";
        }

        if (message.Policy?.EndpointStaleAfter is not null)
        {
            yield return $"{path}policy.endpoint_stale_after is not applied, endpoints stay until the control plane replaces them";
        }
    }

    private static IReadOnlyDictionary<string, Google.Protobuf.WellKnownTypes.Value>? TransportLabels(Metadata? metadata)
        => TransportMatch.LabelsOf(metadata?.FilterMetadata.GetValueOrDefault(TransportMatch.MetadataKey));

    private static string? HashKey(LbEndpoint endpoint)
        => endpoint.Metadata?.FilterMetadata.TryGetValue("envoy.lb", out var lb) == true && lb.Fields.TryGetValue("hash_key", out var key) && key.StringValue.Length > 0
            ? key.StringValue
            : null;

    // Istio writes "workload;namespace;canonical name;canonical revision;cluster" here.
    private static IReadOnlyDictionary<string, string> Labels(LbEndpoint endpoint)
    {
        if (Workload(endpoint)?.Split(';') is not { Length: >= 4 } parts)
        {
            return System.Collections.Immutable.ImmutableDictionary<string, string>.Empty;
        }

        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["workload"] = parts[0],
            ["namespace"] = parts[1],
            ["app"] = parts[2],
            ["version"] = parts[3],
        };
    }

    private static string? Workload(LbEndpoint endpoint)
        => endpoint.Metadata?.FilterMetadata.TryGetValue("istio", out var istio) == true && istio.Fields.TryGetValue("workload", out var workload) ? workload.StringValue : null;

    private static string Name(Locality? locality)
        => locality is null ? "" : string.Join('/', new[] { locality.Region, locality.Zone, locality.SubZone }.TakeWhile(p => p.Length > 0));
}
