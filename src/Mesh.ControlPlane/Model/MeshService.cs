using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>A host that the mesh knows, whatever kind of document declares it. One instance lives as long as its document is unchanged.</summary>
internal sealed class MeshService
{
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

    /// <summary>The labels by which clients prefer endpoints where no DestinationRule says otherwise (<c>trafficDistribution</c>).</summary>
    public IReadOnlyList<string> FailoverPriority { get; init; } = [];

    public required Visibility Visibility { get; init; }

    public required ConfigResource Source { get; init; }

    /// <summary>The identity of the service: the same host may be declared privately in several namespaces.</summary>
    public string Key => field ??= $"{Namespace}/{Host}";

    public bool IsWildcard => Hostname.IsWildcard(Host);

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
