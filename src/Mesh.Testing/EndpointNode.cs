using System.Net;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Testing;

/// <summary>What a workload says of itself when it registers over its ADS stream.</summary>
internal static class EndpointNode
{
    // Every protocol's name: the handler serves whatever port of the service is called.
    private static readonly string[] PortNames = ["http", "http2", "grpc", "grpc-web", "https", "tls", "tcp"];

    public static Node Create(MeshWorkload workload, IReadOnlyDictionary<string, string> labels, IPEndPoint address, string clusterDomain)
    {
        var name = $"{labels.GetValueOrDefault("app") ?? "endpoint"}-{address.Address}";
        return new Node
        {
            Id = $"mesh~{address.Address}~{name}.{workload.Namespace}~{workload.Namespace}.svc.{clusterDomain}",
            Locality = LocalityOf(workload.Locality),
            Metadata = new Struct
            {
                Fields =
                {
                    ["NAME"] = Value.ForString(name),
                    ["NAMESPACE"] = Value.ForString(workload.Namespace),
                    ["SERVICE_ACCOUNT"] = Value.ForString(workload.ServiceAccount),
                    ["LABELS"] = StructOf(labels),
                    ["MESH_ADDRESSES"] = StructOf(PortNames.Select(port => System.Collections.Generic.KeyValuePair.Create(port, address.ToString()))),
                },
            },
        };
    }

    private static Value StructOf(IEnumerable<KeyValuePair<string, string>> entries)
    {
        var fields = new Struct();
        foreach (var (key, value) in entries)
        {
            fields.Fields[key] = Value.ForString(value);
        }

        return Value.ForStruct(fields);
    }

    private static Locality? LocalityOf(string? text)
        => text?.Split('/', 3) is { } parts
            ? new Locality { Region = parts[0], Zone = parts.ElementAtOrDefault(1) ?? "", SubZone = parts.ElementAtOrDefault(2) ?? "" }
            : null;
}
