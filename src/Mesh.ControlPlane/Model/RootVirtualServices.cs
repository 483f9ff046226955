using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>VirtualServices that delegate. One is completed anew only when it or what it delegates to is another document.</summary>
internal sealed class RootVirtualServices(string clusterDomain, MeshSettings mesh)
{
    private Dictionary<(string Namespace, string Name), Completed> _completed = [];

    public static bool IsRoot(VirtualService spec) => spec.Hosts.Count > 0 && spec.Http.Any(http => http.Delegate is not null);

    public static bool IsDelegate(VirtualService spec) => spec.Hosts.Count == 0;

    /// <param name="documents">Every VirtualService: as it is written now, and the equal one that stands for it as long as its content stays.</param>
    /// <param name="diagnostics">Receives what is wrong between them.</param>
    /// <returns>The rules of the roots.</returns>
    public IReadOnlyList<VirtualServiceRule> Complete(IReadOnlyList<(ConfigResource Now, ConfigResource Kept)> documents, ModelDiagnostics diagnostics)
    {
        var roots = documents.Where(document => IsRoot((VirtualService)document.Kept.Spec)).ToList();
        var all = roots.Count == 0
            ? []
            : documents.DistinctBy(document => document.Kept.Key).ToDictionary(document => (document.Kept.Namespace, document.Kept.Name), document => document.Kept);
        var completed = new Dictionary<(string Namespace, string Name), Completed>();
        var used = new HashSet<(string Namespace, string Name)>();
        foreach (var (now, root) in roots)
        {
            var keys = ((VirtualService)root.Spec).Http
                .Where(http => http.Delegate is not null)
                .Select(http => DelegateMerger.KeyOf(http.Delegate, root.Namespace))
                .ToArray();
            used.UnionWith(keys);
            var sources = keys.Select(key => all.GetValueOrDefault(key)).Prepend(root).ToArray();
            var before = _completed.GetValueOrDefault((root.Namespace, root.Name));
            var item = before is not null && before.IsOf(sources) ? before : CompleteNew(root, sources, all);
            completed[(root.Namespace, root.Name)] = item;
            foreach (var (code, path, message) in item.Findings)
            {
                diagnostics.Warn(now, code, path, message);
            }
        }

        foreach (var (now, kept) in documents)
        {
            if (IsDelegate((VirtualService)kept.Spec) && !used.Contains((kept.Namespace, kept.Name)))
            {
                diagnostics.Warn(
                    now,
                    DiagnosticCodes.UnusedDelegate,
                    "spec",
                    "has no hosts, and no VirtualService delegates to it, so its routes are for nothing: give it hosts, or name it as a delegate");
            }
        }

        _completed = completed;
        return [.. completed.Values.Select(item => item.Rule)];
    }

    private Completed CompleteNew(
        ConfigResource root, IReadOnlyList<ConfigResource?> sources, Dictionary<(string Namespace, string Name), ConfigResource> all)
    {
        var findings = new ModelDiagnostics();
        var spec = DelegateMerger.Merge(root, clusterDomain, mesh, (@namespace, name) => all.GetValueOrDefault((@namespace, name)), findings);
        return new Completed(
            new VirtualServiceRule(root, spec, clusterDomain, mesh),
            sources,
            [.. findings.Found.Select(found => (found.Code, found.Path, found.Message))]);
    }

    private sealed record Completed(
        VirtualServiceRule Rule, IReadOnlyList<ConfigResource?> Sources, IReadOnlyList<(string Code, string Path, string Message)> Findings)
    {
        public bool IsOf(IReadOnlyList<ConfigResource?> sources)
            => Sources.Count == sources.Count && Sources.Zip(sources).All(pair => ReferenceEquals(pair.First, pair.Second));
    }
}
