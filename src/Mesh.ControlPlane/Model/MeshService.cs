using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>A host that the mesh knows, whatever kind of document declares it. One instance lives as long as its document is unchanged.</summary>
internal sealed class MeshService
{
    private readonly ConcurrentDictionary<string, MeshService> _parts = new(StringComparer.Ordinal);
    private readonly MeshService? _whole;

    public MeshService()
    {
    }

    [SetsRequiredMembers]
    private MeshService(MeshService whole, IReadOnlyList<MeshServicePort> ports)
    {
        _whole = whole;
        Host = whole.Host;
        Name = whole.Name;
        Namespace = whole.Namespace;
        Ports = ports;
        Selector = whole.Selector;
        StaticEndpoints = whole.StaticEndpoints;
        Addresses = whole.Addresses;
        Resolution = whole.Resolution;
        IsExternal = whole.IsExternal;
        SubjectAltNames = whole.SubjectAltNames;
        ExternalName = whole.ExternalName;
        FailoverPriority = whole.FailoverPriority;
        Visibility = whole.Visibility;
        Source = whole.Source;
    }

    public required string Host { get; init; }

    /// <summary>The name of the Service, or the host of a ServiceEntry.</summary>
    public required string Name { get; init; }

    public required string Namespace { get; init; }

    public required IReadOnlyList<MeshServicePort> Ports { get; init; }

    /// <summary>The labels that a workload of the same namespace must carry to serve this host; <see langword="null"/>: none is selected.</summary>
    public required IReadOnlyDictionary<string, string>? Selector { get; init; }

    /// <summary>Endpoints that the document itself lists.</summary>
    public required IReadOnlyList<WorkloadInstance> StaticEndpoints { get; init; }

    /// <summary>The IP addresses and CIDRs by which clients know it; empty when names are all that they have.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    public ServiceResolution Resolution { get; init; } = ServiceResolution.Endpoints;

    public bool IsResolvedByDns => Resolution is ServiceResolution.Dns or ServiceResolution.DnsRoundRobin;

    /// <summary>Whether it lies outside the mesh (<c>MESH_EXTERNAL</c>, <c>ExternalName</c>).</summary>
    public bool IsExternal { get; init; }

    /// <summary>The host that it is another name of (<c>ExternalName</c>); <see langword="null"/>: it is a host itself.</summary>
    public string? ExternalName { get; init; }

    /// <summary>The names of which its certificate must carry one, where TLS to it does not say otherwise; empty: its host.</summary>
    public IReadOnlyList<string> SubjectAltNames { get; init; } = [];

    /// <summary>The labels by which clients prefer endpoints where no DestinationRule says otherwise (<c>trafficDistribution</c>).</summary>
    public IReadOnlyList<string> FailoverPriority { get; init; } = [];

    public required Visibility Visibility { get; init; }

    public required ConfigResource Source { get; init; }

    /// <summary>The service itself, of which this is a part: some of its ports.</summary>
    public MeshService Whole => _whole ?? this;

    /// <summary>The identity of the service: the same host may be declared privately in several namespaces.</summary>
    public string Key => field ??= $"{Namespace}/{Host}";

    public bool IsWildcard => Hostname.IsWildcard(Host);

    /// <summary>One service of several documents: the first says what of two differs.</summary>
    public static MeshService Merge(IReadOnlyList<MeshService> parts)
    {
        var first = parts[0];
        return new MeshService
        {
            Host = first.Host,
            Name = first.Name,
            Namespace = first.Namespace,
            Ports = [.. parts.SelectMany(part => part.Ports).DistinctBy(port => port.Number)],
            Selector = first.Selector,
            StaticEndpoints = [.. parts.SelectMany(part => part.StaticEndpoints)],
            Addresses = [.. parts.SelectMany(part => part.Addresses).Distinct()],
            Resolution = first.Resolution,
            IsExternal = first.IsExternal,
            SubjectAltNames = [.. parts.SelectMany(part => part.SubjectAltNames).Distinct()],
            FailoverPriority = first.FailoverPriority,
            Visibility = first.Visibility,
            Source = first.Source,
        };
    }

    /// <summary>The same service with some of its ports; the same ports are the same instance.</summary>
    public MeshService With(IReadOnlyList<MeshServicePort> ports)
        => _parts.GetOrAdd(string.Join(',', ports.Select(port => port.Number)), _ => new MeshService(Whole, ports));

    public MeshServicePort? FindPort(uint number)
    {
        foreach (var port in Ports)
        {
            if (port.Number == number)
            {
                return port;
            }
        }

        return null;
    }

    /// <summary>The port of a request that names none: 80 as HTTP says, else the only HTTP port, else the only port.</summary>
    public MeshServicePort? DefaultPort()
    {
        if (FindPort(80) is { } wellKnown)
        {
            return wellKnown;
        }

        var http = Ports.Where(port => port.Protocol.IsHttp()).Take(2).ToArray();
        return http.Length == 1 ? http[0] : Ports.Count == 1 ? Ports[0] : null;
    }
}
