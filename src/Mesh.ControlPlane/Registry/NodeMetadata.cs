using System.Net;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Registry;

/// <summary>What a node says about itself, under Istio's keys and this mesh's own (<c>MESH_ADDRESSES</c>, <c>MESH_READY</c>).</summary>
internal sealed class NodeMetadata
{
    private const int MaxLabels = 256;
    private const int MaxAddresses = 64;
    private const int MaxAnnotations = 256;
    private const string DefaultNamespace = "default";

    private readonly Node _node;

    /// <param name="node">The node.</param>
    /// <param name="proven">The one service account that it has proven to be: said for it where it does not say.</param>
    public NodeMetadata(Node node, (string Namespace, string Account)? proven = null)
    {
        _node = node;
        Namespace = Text("NAMESPACE") ?? NamespaceOfId(node.Id) ?? proven?.Namespace ?? DefaultNamespace;
        SaidServiceAccount = Text("SERVICE_ACCOUNT");
        ServiceAccount = SaidServiceAccount ?? proven?.Account ?? "default";
        Labels = Entries("LABELS", MaxLabels).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
    }

    public string Namespace { get; }

    public string ServiceAccount { get; }

    /// <summary>The service account in the node's own words; <see langword="null"/> when it says none.</summary>
    public string? SaidServiceAccount { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>One of the node's annotations; <see langword="null"/> when it has none of this name.</summary>
    public string? Annotation(string name) => Entries("ANNOTATIONS", MaxAnnotations).FirstOrDefault(entry => entry.Key == name).Value;

    public string ClusterId => Text("CLUSTER_ID") ?? "";

    public string MeshId => Text("MESH_ID") ?? "";

    /// <summary>The name of what it is an instance of (a Deployment's, say).</summary>
    public string WorkloadName => Text("WORKLOAD_NAME") ?? Text("NAME") ?? Labels.GetValueOrDefault("app") ?? _node.Id;

    /// <summary>Where the node runs: as it says itself, else as Istio's label <c>istio-locality</c> says, whose separator is a dot.</summary>
    public MeshLocality Locality => _node.Locality is { Region.Length: > 0 } locality
        ? new MeshLocality(locality.Region, locality.Zone, locality.SubZone)
        : MeshLocality.OfLabels(Labels);

    /// <summary>Whether the node names IPv6 addresses and no other (Istio's <c>INSTANCE_IPS</c>, else what it announces).</summary>
    public bool IsIpv6Only
    {
        get
        {
            var ips = (Text("INSTANCE_IPS")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    ?? Entries("MESH_ADDRESSES", MaxAddresses).Select(entry => NetworkAddress.TryParse(entry.Value, out var address) ? address.Ip : "0.0.0.0"))
                .ToArray();

            // "Any address" says nothing of the family: IPv4 goes over such a socket as well.
            return ips.Length > 0 && Array.TrueForAll(ips, ip => ip != "::" && ip.Contains(':', StringComparison.Ordinal));
        }
    }

    /// <summary>Which generator the node asks for: <c>grpc</c> in Istio's proxyless bootstrap.</summary>
    public string? Generator => Text("GENERATOR");

    /// <summary>Whether the node's id says that it stands beside an application: <c>sidecar~ip~name.namespace~domain</c>.</summary>
    public bool IsSidecar => _node.Id.StartsWith("sidecar~", StringComparison.Ordinal);

    /// <summary>Whether connections reach the node only at ports that it opens itself (Istio's <c>INTERCEPTION_MODE</c>).</summary>
    public bool BindsToPort => string.Equals(Text("INTERCEPTION_MODE"), "NONE", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the node can be called from the moment it connects.</summary>
    public bool IsReady => !string.Equals(Text("MESH_READY"), "false", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the node wants to be called, not only to call.</summary>
    public bool HasAddresses => Entries("MESH_ADDRESSES", 1).Any();

    /// <summary>The workload that the node announces.</summary>
    /// <param name="remote">Where the node's stream comes from: it stands in for "any address" (<c>0.0.0.0</c>).</param>
    /// <param name="refused">Receives the announced addresses that are none.</param>
    public WorkloadInstance ToInstance(EndPoint? remote, List<string> refused)
    {
        var addresses = new SortedDictionary<string, NetworkAddress>(StringComparer.Ordinal);
        foreach (var (port, text) in Entries("MESH_ADDRESSES", MaxAddresses))
        {
            if (NetworkAddress.TryParse(text, out var address))
            {
                addresses[port] = Reachable(address, remote);
            }
            else
            {
                refused.Add($"{port}={text}");
            }
        }

        return new WorkloadInstance
        {
            Id = _node.Id,
            Name = WorkloadName,
            Namespace = Namespace,
            Labels = Labels,
            ServiceAccount = ServiceAccount,
            ClusterId = ClusterId,
            Locality = Locality,
            Addresses = addresses,
        };
    }

    private static NetworkAddress Reachable(NetworkAddress address, EndPoint? remote)
    {
        if (address.Ip is not ("0.0.0.0" or "::"))
        {
            return address;
        }

        var ip = (remote as IPEndPoint)?.Address ?? IPAddress.Loopback;
        return address with { Ip = (ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip).ToString() };
    }

    /// <summary>Istio's node ids end with the name and the namespace's DNS domain: <c>type~ip~name.namespace~namespace.svc.cluster.local</c>.</summary>
    private static string? NamespaceOfId(string id)
    {
        var parts = id.Split('~', 5);
        if (parts.Length != 4)
        {
            return null;
        }

        var dot = parts[3].IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? parts[3][..dot] : null;
    }

    private string? Text(string key)
        => _node.Metadata is { } metadata && metadata.Fields.TryGetValue(key, out var value) ? ScalarOf(value) : null;

    private IEnumerable<KeyValuePair<string, string>> Entries(string key, int max)
        => _node.Metadata is { } metadata && metadata.Fields.TryGetValue(key, out var value) && value.KindCase == Value.KindOneofCase.StructValue
            ? value.StructValue.Fields.Take(max).Select(field => System.Collections.Generic.KeyValuePair.Create(field.Key, ScalarOf(field.Value) ?? ""))
            : [];

    private static string? ScalarOf(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.StringValue => value.StringValue.Length > 0 ? value.StringValue : null,
        Value.KindOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        Value.KindOneofCase.NumberValue => value.NumberValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => null,
    };
}
