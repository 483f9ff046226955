using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The metadata under the key <c>istio</c> that dashboards and telemetry read.</summary>
internal static class IstioMetadata
{
    private const string Key = "istio";

    /// <summary>Names the document that a resource comes from.</summary>
    public static Metadata OfConfig(ConfigResource source) => Of(new Struct { Fields = { ["config"] = Value.ForString(ConfigPath(source)) } });

    public static Metadata OfCluster(MeshService service, MeshServicePort port, string subset, DestinationRuleSet? rule)
    {
        var fields = new Struct
        {
            Fields =
            {
                ["default_original_port"] = Value.ForNumber(port.Number),
                ["services"] = Services(service),
            },
        };
        if (rule is not null)
        {
            fields.Fields["config"] = Value.ForString(ConfigPath(rule.Source));
        }

        if (subset.Length > 0)
        {
            fields.Fields["subset"] = Value.ForString(subset);
        }
        else if (service.IsExternal)
        {
            fields.Fields["external"] = Value.ForBool(true);
        }

        return Of(fields);
    }

    /// <summary>Names the service that a filter chain of a server is for, so that what it serves is told under that name.</summary>
    public static Metadata OfServed(MeshService service) => Of(new Struct { Fields = { ["services"] = Services(service) } });

    /// <summary>Istio's short form of who a workload is: <c>name;namespace;canonical-name;canonical-revision;cluster</c>.</summary>
    /// <remarks>As in Istio the revision that everything has without a label is left out.</remarks>
    /// <param name="workload">The workload.</param>
    /// <param name="speaksMutualTls">Whether it is to be spoken to by the mesh's mutual TLS.</param>
    public static Metadata OfWorkload(WorkloadInstance workload, bool speaksMutualTls)
    {
        var metadata = Of(new Struct
        {
            Fields =
            {
                ["workload"] = Value.ForString(
                    $"{workload.Name};{workload.Namespace};{workload.CanonicalName};{RevisionOf(workload)};{workload.ClusterId}"),
            },
        });
        if (speaksMutualTls)
        {
            metadata.FilterMetadata[TlsMode.TransportSocketMatch] = new Struct { Fields = { [TlsMode.Key] = Value.ForString(TlsMode.Istio) } };
        }

        return metadata;
    }

    private static string RevisionOf(WorkloadInstance workload) => workload.CanonicalRevision == CanonicalService.DefaultRevision ? "" : workload.CanonicalRevision;

    private static Value Services(MeshService service)
        => Value.ForList(Value.ForStruct(new Struct
        {
            Fields =
            {
                ["host"] = Value.ForString(service.Host),
                ["name"] = Value.ForString(service.Name),
                ["namespace"] = Value.ForString(service.Namespace),
            },
        }));

    private static Metadata Of(Struct fields) => new() { FilterMetadata = { [Key] = fields } };

    private static string ConfigPath(ConfigResource source)
        => $"/apis/{source.Kind.Group}/v1alpha3/namespaces/{source.Namespace}/{KebabCase(source.Kind.Kind)}/{source.Name}";

    /// <summary><c>VirtualService</c> → <c>virtual-service</c>.</summary>
    private static string KebabCase(string kind)
        => string.Concat(kind.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
