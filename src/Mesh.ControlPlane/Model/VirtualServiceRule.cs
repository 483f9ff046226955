using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>A VirtualService with its hosts resolved. One instance lives as long as its document is unchanged.</summary>
internal sealed class VirtualServiceRule
{
    public VirtualServiceRule(ConfigResource source, VirtualService spec, string clusterDomain, MeshSettings mesh)
    {
        Source = source;
        Spec = spec;
        Visibility = Visibility.Of(spec.ExportTo, source.Namespace, mesh.VirtualServiceExportTo);
        Hosts = [.. spec.Hosts.Select(host => Hostname.Resolve(host, source.Namespace, clusterDomain)).Distinct()];
        AppliesToMesh = spec.Gateways.Count == 0 || spec.Gateways.Contains("mesh");
        DependsOnSourceLabels = spec.Http.Any(http => http.Match.Any(match => match.SourceLabels.Count > 0))
            || spec.Tls.Any(tls => tls.Match.Any(match => match.SourceLabels.Count > 0))
            || spec.Tcp.Any(tcp => tcp.Match.Any(match => match.SourceLabels.Count > 0));
        DestinationHosts =
        [
            .. spec.Http.SelectMany(DestinationsOf)
                .Concat(spec.Tls.SelectMany(tls => tls.Route).Concat(spec.Tcp.SelectMany(tcp => tcp.Route)).Select(route => route.Destination).OfType<Destination>())
                .Select(destination => Hostname.Resolve(destination.Host, source.Namespace, clusterDomain))
                .Distinct(),
        ];
    }

    public ConfigResource Source { get; }

    public VirtualService Spec { get; }

    public IReadOnlyList<string> Hosts { get; }

    public Visibility Visibility { get; }

    /// <summary>Whether it governs calls inside the mesh: no gateway is named, or <c>mesh</c> is among them.</summary>
    public bool AppliesToMesh { get; }

    /// <summary>Whether two clients of one namespace may get different routes from it.</summary>
    public bool DependsOnSourceLabels { get; }

    /// <summary>Whether it has routes for connections that are not HTTP.</summary>
    public bool IsOfTcp => Spec.Tcp.Count + Spec.Tls.Count > 0;

    /// <summary>Where its routes lead, mirrors included.</summary>
    public IReadOnlyList<string> DestinationHosts { get; }

    private static IEnumerable<Destination> DestinationsOf(HTTPRoute http)
        => http.Route.Select(route => route.Destination).Concat(http.Mirrors.Select(mirror => mirror.Destination)).Append(http.Mirror).OfType<Destination>();
}
