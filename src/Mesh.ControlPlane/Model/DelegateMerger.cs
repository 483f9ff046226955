using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Delegate = Istio.Networking.V1Alpha3.Delegate;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// Puts the routes of delegates in the place of the entries that delegate to them. What a route leaves open it has from the entry; a
/// route that matches nothing the entry matches is left out.
/// </summary>
internal static class DelegateMerger
{
    /// <param name="root">The VirtualService that delegates.</param>
    /// <param name="clusterDomain">The domain of the mesh's own names.</param>
    /// <param name="mesh">To whom it is visible that does not say.</param>
    /// <param name="find">Finds the document of that namespace and name.</param>
    /// <param name="diagnostics">Receives what is left out, and why.</param>
    /// <returns>A VirtualService without delegates and with all names complete.</returns>
    public static VirtualService Merge(
        ConfigResource root, string clusterDomain, MeshSettings mesh, Func<string, string, ConfigResource?> find, ModelDiagnostics diagnostics)
    {
        var merged = ((VirtualService)root.Spec).Clone();
        var entries = merged.Http.ToArray();
        merged.Http.Clear();
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = ResolvedNames.Of(entries[i], root.Namespace, clusterDomain);
            if (entry.Delegate is not { } target)
            {
                merged.Http.Add(entry);
                continue;
            }

            var path = $"spec.http[{i}].delegate";
            if (FindVisible(root, target, mesh, find, path, diagnostics) is { } found)
            {
                merged.Http.AddRange(RoutesOf(root, entry, found, clusterDomain, path, diagnostics));
            }
        }

        return merged;
    }

    /// <summary>The key of the document that an entry delegates to: without a namespace, the root's.</summary>
    public static (string Namespace, string Name) KeyOf(Delegate target, string rootNamespace)
        => (target.Namespace.Length > 0 ? target.Namespace : rootNamespace, target.Name);

    private static ConfigResource? FindVisible(
        ConfigResource root, Delegate target, MeshSettings mesh, Func<string, string, ConfigResource?> find, string path, ModelDiagnostics diagnostics)
    {
        var (@namespace, name) = KeyOf(target, root.Namespace);
        var found = find(@namespace, name);
        var problem = found?.Spec is not VirtualService spec
            ? "does not exist: correct the name, or write it"
            : spec.Hosts.Count > 0
                ? "has hosts of its own, so it is no delegate: remove its hosts"
                : Visibility.Of(spec.ExportTo, @namespace, mesh.VirtualServiceExportTo).Includes(root.Namespace)
                    ? null
                    : $"is not exported to the namespace {root.Namespace}: add it to its exportTo";
        if (problem is null)
        {
            return found;
        }

        diagnostics.Warn(
            root, DiagnosticCodes.ReferencedResourceNotFound, $"{path}.name", $"the VirtualService {@namespace}/{name} {problem}. Until then this entry has no routes");
        return null;
    }

    private static IEnumerable<HTTPRoute> RoutesOf(
        ConfigResource root, HTTPRoute entry, ConfigResource found, string clusterDomain, string path, ModelDiagnostics diagnostics)
    {
        var routes = ((VirtualService)found.Spec).Http;
        for (var i = 0; i < routes.Count; i++)
        {
            var route = ResolvedNames.Of(routes[i], found.Namespace, clusterDomain);
            if (MatchMerger.Merge(entry.Match, route.Match) is not { } match)
            {
                diagnostics.Warn(
                    root,
                    DiagnosticCodes.DelegateConflict,
                    path,
                    $"spec.http[{i}] of the VirtualService {found.Namespace}/{found.Name} matches what this entry does not: it is left out. "
                        + "Every match of a delegate must narrow one of the entry's");
                continue;
            }

            route.Match.Clear();
            route.Match.AddRange(match);
            Inherit(entry, route);
            yield return route;
        }
    }

    private static void Inherit(HTTPRoute entry, HTTPRoute route)
    {
        route.Name = MatchMerger.Join(entry.Name, route.Name);
        route.Rewrite ??= entry.Rewrite;
        route.DirectResponse ??= entry.DirectResponse;
        route.Timeout ??= entry.Timeout;
        route.Retries ??= entry.Retries;
        route.Fault ??= entry.Fault;
        route.Mirror ??= entry.Mirror;
#pragma warning disable CS0612 // Istio still accepts it.
        route.MirrorPercent ??= entry.MirrorPercent;
#pragma warning restore CS0612
        route.MirrorPercentage ??= entry.MirrorPercentage;
        route.CorsPolicy ??= entry.CorsPolicy;
        route.Headers ??= entry.Headers;
        if (route.Mirrors.Count == 0)
        {
            route.Mirrors.AddRange(entry.Mirrors);
        }
    }
}
