using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// What documents that declare the same host come to. Within a namespace ServiceEntries that agree on everything but ports, addresses and
/// endpoints are one service, as in Istio; otherwise the first counts: a Kubernetes Service, else the oldest. A merged service stays the same
/// instance as long as its parts do.
/// </summary>
internal sealed class SameHostServices
{
    private Dictionary<string, (MeshService[] Parts, MeshService Merged)> _merged = new(StringComparer.Ordinal);

    /// <summary>Orders the services of each host, and leaves one a namespace.</summary>
    public void Settle(Dictionary<string, List<MeshService>> services, ModelDiagnostics diagnostics)
    {
        var merged = new Dictionary<string, (MeshService[] Parts, MeshService Merged)>(StringComparer.Ordinal);
        foreach (var (host, sameHost) in services)
        {
            if (sameHost.Count == 1)
            {
                continue;
            }

            sameHost.Sort(ByPrecedence);
            var settled = sameHost.GroupBy(service => service.Namespace).Select(group => SettleNamespace(group.ToArray(), merged, diagnostics)).ToList();
            sameHost.Clear();
            sameHost.AddRange(settled.Order(Comparer<MeshService>.Create(ByPrecedence)));
            WarnOfDifferences(host, sameHost, diagnostics);
        }

        _merged = merged;
    }

    /// <summary>No document of another kind takes the name of a Service of the cluster.</summary>
    private static int ByPrecedence(MeshService left, MeshService right)
    {
        var byKind = (left.Source.Spec is ServiceEntry).CompareTo(right.Source.Spec is ServiceEntry);
        return byKind != 0 ? byKind : OldestFirst.Instance.Compare(left.Source, right.Source);
    }

    private MeshService SettleNamespace(MeshService[] services, Dictionary<string, (MeshService[] Parts, MeshService Merged)> merged, ModelDiagnostics diagnostics)
    {
        var first = services[0];
        var parts = new List<MeshService> { first };
        foreach (var service in services.Skip(1))
        {
            if (DifferenceOf(first, service) is { } difference)
            {
                diagnostics.Warn(
                    service.Source,
                    DiagnosticCodes.DuplicateDeclaration,
                    PathOf(service.Source),
                    $"host {service.Host} is already declared by {first.Source}{difference}, which counts; remove one of the two or let them agree");
                continue;
            }

            foreach (var port in service.Ports.Where(port => parts.Any(part => part.FindPort(port.Number) is { } other && other != port)))
            {
                diagnostics.Warn(
                    service.Source,
                    DiagnosticCodes.DuplicateDeclaration,
                    "spec.ports",
                    $"port {port.Number} of {service.Host} is already declared otherwise by {parts.First(part => part.FindPort(port.Number) is not null).Source}, which counts; let them agree");
            }

            parts.Add(service);
        }

        if (parts.Count == 1)
        {
            return first;
        }

        var result = _merged.TryGetValue(first.Key, out var before) && before.Parts.SequenceEqual(parts) ? before.Merged : MeshService.Merge(parts);
        merged[first.Key] = ([.. parts], result);
        return result;
    }

    /// <returns>Why two documents cannot be one service, or <see langword="null"/>.</returns>
    private static string? DifferenceOf(MeshService first, MeshService other)
    {
        if (first.Source.Spec is not ServiceEntry || other.Source.Spec is not ServiceEntry)
        {
            return first.Source.Spec is ServiceEntry ? "" : ", a Service of the cluster";
        }

        return (first, other) switch
        {
            _ when first.Resolution != other.Resolution => " with another resolution",
            _ when first.IsExternal != other.IsExternal => " with another location",
            _ when !SameLabels(first.Selector, other.Selector) => " with another workloadSelector",
            _ when !first.Visibility.Equals(other.Visibility) => " with another exportTo",
            _ => null,
        };
    }

    private static bool SameLabels(IReadOnlyDictionary<string, string>? left, IReadOnlyDictionary<string, string>? right)
        => left is null || right is null
            ? left is null && right is null
            : left.Count == right.Count && left.All(label => right.TryGetValue(label.Key, out var value) && value == label.Value);

    /// <summary>Every namespace may declare a host for itself; clients of a third one take the first, which is worth knowing where it matters.</summary>
    private static void WarnOfDifferences(string host, List<MeshService> services, ModelDiagnostics diagnostics)
    {
        var first = services[0];
        foreach (var other in services.Skip(1).Where(other => first.Visibility.Overlaps(other.Visibility, first.Namespace, other.Namespace) && !SaysTheSame(first, other)))
        {
            diagnostics.Warn(
                other.Source,
                DiagnosticCodes.DuplicateDeclaration,
                PathOf(other.Source),
                $"host {host} is declared otherwise by {first.Source}: clients in {other.Namespace} get this one, clients elsewhere the other; "
                + "keep each to its namespace by exportTo, or let them agree");
        }
    }

    private static bool SaysTheSame(MeshService left, MeshService right)
        => left.Resolution == right.Resolution && left.IsExternal == right.IsExternal && left.Ports.SequenceEqual(right.Ports)
            && left.StaticEndpoints.Select(endpoint => endpoint.Address).SequenceEqual(right.StaticEndpoints.Select(endpoint => endpoint.Address));

    private static string PathOf(ConfigResource source) => source.Spec is ServiceEntry ? "spec.hosts" : "metadata.name";
}
