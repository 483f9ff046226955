using System.Reflection;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Bootstrap;

/// <summary>Makes the node that the control plane sees: Istio's proxyless format and metadata, so that istiod understands it as well.</summary>
internal static class XdsNode
{
    public const string UserAgentName = "mesh";

    /// <summary>The annotation by which a workload says what configures its proxy.</summary>
    private const string ProxyConfig = "proxy.istio.io/config";

    /// <summary>What the client can do that a server must not assume (xDS protocol, "Client features").</summary>
    private static readonly string[] ClientFeatures = ["xds.config.supports-resource-ttl", "xds.config.supports-resource-in-sotw"];

    public static string UserAgentVersion { get; } =
        typeof(XdsNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>Fills in what the bootstrap's node leaves open.</summary>
    public static Node Create(MeshOptions options, Node bootstrap, WorkloadInstance instance, Func<string, string?> environment)
    {
        var workload = options.Workload;
        var node = bootstrap.Clone();
        if (node.Id.Length == 0)
        {
            node.Id = $"sidecar~{instance.Address}~{instance.PodName}.{workload.Namespace}~{workload.Namespace}.svc.{options.ClusterDomain}";
        }

        if (node.Cluster.Length == 0)
        {
            node.Cluster = $"{instance.WorkloadName}.{workload.Namespace}";
        }

        if (node.Locality is null && workload.Locality is { Length: > 0 } locality)
        {
            var parts = locality.Split('/', 3);
            node.Locality = new Locality { Region = parts[0], Zone = parts.ElementAtOrDefault(1) ?? "", SubZone = parts.ElementAtOrDefault(2) ?? "" };
        }

        node.UserAgentName = UserAgentName;
        node.UserAgentVersion = UserAgentVersion;
        node.ClientFeatures.Clear();
        node.ClientFeatures.AddRange(ClientFeatures);

        var labels = new Struct();
        foreach (var (name, value) in workload.EffectiveLabels())
        {
            labels.Fields[name] = Value.ForString(value);
        }

        // What a bootstrap says goes before what is derived. GENERATOR, by which istiod chooses what it generates, comes from there only:
        // the bootstrap that Istio's agent writes carries it.
        node.Metadata ??= new Struct();
        AddDefault("NAMESPACE", Value.ForString(workload.Namespace));
        AddDefault("LABELS", Value.ForStruct(labels));
        AddDefault("SERVICE_ACCOUNT", Value.ForString(workload.ServiceAccount));
        AddAnnotations();
        AddDefault("WORKLOAD_NAME", Value.ForString(instance.WorkloadName));
        AddDefault("CLUSTER_ID", Value.ForString(environment("ISTIO_META_CLUSTER_ID") is { Length: > 0 } cluster ? cluster : "Kubernetes"));

        // As Istio's injection does: a mesh that has no name of its own is called by its trust domain.
        AddDefault("MESH_ID", Value.ForString(environment("ISTIO_META_MESH_ID") is { Length: > 0 } mesh ? mesh : options.Identity.TrustDomain));
        return node;

        void AddAnnotations()
        {
            var annotations = new Struct();
            foreach (var (name, value) in workload.Annotations)
            {
                annotations.Fields[name] = Value.ForString(value);
            }

            // Istio's name for what the downward API says of the annotation.
            if (!annotations.Fields.ContainsKey(ProxyConfig) && environment("PROXY_CONFIG") is { Length: > 0 } config)
            {
                annotations.Fields[ProxyConfig] = Value.ForString(config);
            }

            if (annotations.Fields.Count > 0)
            {
                AddDefault("ANNOTATIONS", Value.ForStruct(annotations));
            }
        }

        void AddDefault(string name, Value value)
        {
            if (!node.Metadata.Fields.ContainsKey(name))
            {
                node.Metadata.Fields.Add(name, value);
            }
        }
    }
}
