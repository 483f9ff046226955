namespace Mesh;

/// <summary>Who this process is in the mesh: the facts that rules select by.</summary>
public sealed class MeshWorkload
{
    /// <summary>An unnamed workload: it carries no label <c>app</c> unless <see cref="Labels"/> has one, and selectors by it do not find it.</summary>
    public MeshWorkload()
    {
    }

    /// <summary>A workload that carries the label <c>app=<paramref name="name"/></c>.</summary>
    /// <param name="name">The name of the application, as in the label <c>app</c>.</param>
    public MeshWorkload(string name) => Name = name;

    /// <summary>The name of the application; becomes the label <c>app</c> unless <see cref="Labels"/> sets one.</summary>
    public string? Name { get; set; }

    /// <summary>The namespace that short host names are resolved in.</summary>
    /// <value>The default value is <c>default</c>.</value>
    public string Namespace { get; set; } = "default";

    /// <summary>The version of the application; becomes the label <c>version</c>, which subsets select by.</summary>
    public string? Version { get; set; }

    /// <summary>The service account that the workload's identity is made from (<c>spiffe://trust-domain/ns/namespace/sa/account</c>).</summary>
    /// <value>The default value is <c>default</c>, as in Kubernetes.</value>
    public string ServiceAccount { get; set; } = "default";

    /// <summary>Further labels.</summary>
    public IDictionary<string, string> Labels { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// What the control plane is told of the workload beside its labels, under Kubernetes' names of annotations. Of these <c>proxy.istio.io/config</c>
    /// means something: a ProxyConfig in YAML that counts for this workload (<c>tracing: {sampling: 50}</c>). The environment variable
    /// <c>PROXY_CONFIG</c> says the same where this does not.
    /// </summary>
    public IDictionary<string, string> Annotations { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where the workload runs, as <c>region/zone/subzone</c>.</summary>
    public string? Locality { get; set; }

    /// <summary>Addresses by service port name (<c>http</c> → <c>10.0.0.7:8080</c>) that differ from what the server listens on.</summary>
    public IDictionary<string, string> Addresses { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The labels that rules see: <see cref="Labels"/> with <c>app</c> and <c>version</c> filled in.</summary>
    internal IReadOnlyDictionary<string, string> EffectiveLabels()
    {
        var labels = new SortedDictionary<string, string>(Labels, StringComparer.Ordinal);
        if (Name is not null)
        {
            labels.TryAdd("app", Name);
        }

        if (Version is not null)
        {
            labels.TryAdd("version", Version);
        }

        return labels;
    }
}
