using System.Collections.Concurrent;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model.Policies;
using MeshProxyConfig = Istio.Mesh.V1Alpha1.ProxyConfig;
using ProxyConfig = Istio.Networking.V1Beta1.ProxyConfig;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// The ProxyConfig documents of the mesh over the <c>defaultConfig</c> of its MeshConfig; immutable, and the same object as long as none of them changes.
/// </summary>
internal sealed class ProxyConfigIndex
{
    /// <summary>Kinds of workloads that are remembered: the bound keeps one that invents labels from filling the memory.</summary>
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<(string Namespace, string Labels, string Annotation), WorkloadProxyConfig> _kept = new();
    private readonly string _rootNamespace;
    private readonly WorkloadProxyConfig _mesh;

    private ProxyConfigIndex(string rootNamespace, WorkloadProxyConfig mesh, PolicySet<ProxyConfig> documents)
    {
        _rootNamespace = rootNamespace;
        _mesh = mesh;
        Documents = documents;
    }

    public PolicySet<ProxyConfig> Documents { get; }

    /// <param name="mesh">The mesh, whose <c>defaultConfig</c> is everyone's.</param>
    public static ProxyConfigIndex Empty(MeshSettings mesh) => new(mesh.RootNamespace, mesh.ProxyConfig, PolicySet<ProxyConfig>.Empty);

    /// <summary>The next index; this one when nothing has changed.</summary>
    public ProxyConfigIndex With(IEnumerable<PolicyRule<ProxyConfig>> documents)
    {
        var next = Documents.With(documents);
        return ReferenceEquals(next, Documents) ? this : new ProxyConfigIndex(_rootNamespace, _mesh, next);
    }

    /// <summary>What counts for a workload.</summary>
    public WorkloadProxyConfig Of(Proxy proxy)
    {
        if (proxy.Annotation is null && !Documents.All.Any())
        {
            return _mesh;
        }

        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        return _kept.GetOrAdd((proxy.Namespace, proxy.LabelsKey, proxy.Annotation?.Hash ?? ""), static (_, of) => of.Index.Merge(of.Proxy), (Index: this, Proxy: proxy));
    }

    /// <summary>The document that counts for all workloads of a namespace, or of the mesh.</summary>
    public PolicyRule<ProxyConfig>? ForAllOf(string @namespace) => Documents.Of(@namespace).FirstOrDefault(document => document.Selector is null);

    /// <summary>The document that counts for a workload because it selects it: the oldest one alone, as in Istio.</summary>
    public PolicyRule<ProxyConfig>? Selecting(string @namespace, IReadOnlyDictionary<string, string> labels)
        => Documents.Of(@namespace).FirstOrDefault(document => document.Selector is not null && document.Selects(labels));

    /// <summary>
    /// Istio's order: the MeshConfig, the root namespace's document, the namespace's, the workload's annotation, the document that selects it. What a later
    /// one says goes before, variable by variable and field by field; a zero or <c>false</c> says nothing, which is Istio's way of merging as well.
    /// </summary>
    private WorkloadProxyConfig Merge(Proxy proxy)
    {
        var merged = _mesh.Config.Clone();
        Add(ForAllOf(_rootNamespace));
        if (proxy.Namespace != _rootNamespace)
        {
            Add(ForAllOf(proxy.Namespace));
        }

        if (proxy.Annotation is { } annotation)
        {
            merged.MergeFrom(annotation.Config);
        }

        Add(Selecting(proxy.Namespace, proxy.Labels));
        return new WorkloadProxyConfig(merged);

        void Add(PolicyRule<ProxyConfig>? document)
        {
            if (document is not null)
            {
                merged.MergeFrom(new MeshProxyConfig { ProxyMetadata = { document.Spec.EnvironmentVariables } });
            }
        }
    }
}
