using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>ProxyConfig documents that other ones of their namespace leave without effect.</summary>
internal static class ProxyConfigAnalyzer
{
    public static void Analyze(ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var document in config.ProxyConfigs.Documents.All)
        {
            var selector = document.Selector;
            var first = selector is null
                ? config.ProxyConfigs.ForAllOf(document.Namespace)
                : config.ProxyConfigs.Documents.Of(document.Namespace).First(other => other.Selector is not null && other.Selects(selector));
            if (first is not null && !ReferenceEquals(first, document))
            {
                diagnostics.Warn(
                    document.Source,
                    DiagnosticCodes.DuplicateDeclaration,
                    selector is null ? "spec" : "spec.selector.matchLabels",
                    selector is null
                        ? $"the namespace {document.Namespace} has a ProxyConfig without a selector already, {first.Source}; the older one counts, nothing of this one applies: give it a selector, or merge the two"
                        : $"selects workloads that {first.Source} selects as well; for those the older one counts, and nothing of this one applies: make the labels exclude each other, or merge the two");
            }
        }
    }
}
