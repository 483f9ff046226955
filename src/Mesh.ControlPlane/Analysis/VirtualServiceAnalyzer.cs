using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>What is wrong between a VirtualService and the rest of the mesh.</summary>
internal static class VirtualServiceAnalyzer
{
    public static void Analyze(ConfigResource resource, VirtualService spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        AnalyzeHosts(resource, spec, config, diagnostics);
        RouteOrderAnalyzer.Analyze(resource, spec, diagnostics);
        TcpRouteAnalyzer.Analyze(resource, spec, config, diagnostics);
        foreach (var (destination, path) in DestinationsOf(spec))
        {
            if (destination is { Host.Length: > 0 })
            {
                AnalyzeDestination(resource, destination, path, config, diagnostics);
            }
        }
    }

    private static IEnumerable<(Destination? Destination, string Path)> DestinationsOf(VirtualService spec)
        => spec.Http.SelectMany((http, i) => DestinationsOf(http, $"spec.http[{i}]"))
            .Concat(spec.Tcp.SelectMany((tcp, i) => DestinationsOf(tcp.Route, $"spec.tcp[{i}]")))
            .Concat(spec.Tls.SelectMany((tls, i) => DestinationsOf(tls.Route, $"spec.tls[{i}]")));

    private static IEnumerable<(Destination? Destination, string Path)> DestinationsOf(IEnumerable<RouteDestination> routes, string path)
        => routes.Select((route, i) => ((Destination?)route.Destination, $"{path}.route[{i}].destination"));

    private static IEnumerable<(Destination? Destination, string Path)> DestinationsOf(HTTPRoute http, string path)
        => http.Route.Select((route, i) => ((Destination?)route.Destination, $"{path}.route[{i}].destination"))
            .Append((http.Mirror, $"{path}.mirror"))
            .Concat(http.Mirrors.Select((mirror, i) => ((Destination?)mirror.Destination, $"{path}.mirrors[{i}].destination")));

    private static void AnalyzeHosts(ConfigResource resource, VirtualService spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (spec.Gateways.Count > 0 && !spec.Gateways.Contains("mesh"))
        {
            return;
        }

        for (var i = 0; i < spec.Hosts.Count; i++)
        {
            var host = Hostname.Resolve(spec.Hosts[i], resource.Namespace, config.ClusterDomain);
            if (!spec.Hosts[i].Contains('.', StringComparison.Ordinal)
                && !Hostname.IsWildcard(host)
                && HostLookup.Find(config, resource.Namespace, host) is null)
            {
                diagnostics.Warn(
                    resource,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    $"spec.hosts[{i}]",
                    $"no service has the host {host}; {HostLookup.Suggestion(config, host, config.ClusterDomain)}");
            }

            var rules = config.VirtualServicesOf(host);
            if (rules.Count > 1 && rules[0].Source.Key != resource.Key && VisibleTogether(rules, resource))
            {
                var first = rules[0].Source;
                diagnostics.Warn(
                    resource,
                    DiagnosticCodes.ConflictingVirtualServiceHosts,
                    $"spec.hosts[{i}]",
                    $"the VirtualServices {first.Namespace}/{first.Name}, {resource.Namespace}/{resource.Name} define the same host {host}; "
                    + $"inside the mesh they are not merged: only the oldest, {first.Namespace}/{first.Name}, serves. Move the routes there");
            }
        }
    }

    /// <summary>Rules that no namespace sees both of are not in each other's way.</summary>
    private static bool VisibleTogether(IReadOnlyList<VirtualServiceRule> rules, ConfigResource resource)
    {
        var own = rules.FirstOrDefault(rule => rule.Source.Key == resource.Key);
        return own is not null && rules[0].Visibility.Overlaps(own.Visibility);
    }

    private static void AnalyzeDestination(ConfigResource resource, Destination destination, string path, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var host = Hostname.Resolve(destination.Host, resource.Namespace, config.ClusterDomain);
        if (HostLookup.Find(config, resource.Namespace, host) is not { } service)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.ReferencedResourceNotFound,
                $"{path}.host",
                $"no service has the host {host}, so requests sent there fail; {HostLookup.Suggestion(config, host, config.ClusterDomain)}");
            return;
        }

        if (destination.Subset.Length > 0)
        {
            var rule = config.FindDestinationRule(resource.Namespace, service);
            if (rule?.FindSubset(destination.Subset) is null && !config.IsSubsetForSome(resource.Namespace, service, destination.Subset))
            {
                diagnostics.Error(
                    resource,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    $"{path}.subset",
                    rule is null
                        ? $"there is no DestinationRule for {host} to define the subset {destination.Subset}, so requests sent there fail; add one"
                        : $"DestinationRule {rule.Source.Namespace}/{rule.Source.Name} defines no subset {destination.Subset} of {host} "
                            + $"(it has {(rule.SubsetNames.Count == 0 ? "none" : string.Join(", ", rule.SubsetNames))}), so requests sent there fail");
            }
        }

        var ports = string.Join(", ", service.Ports.Select(port => port.Number));
        if (destination.Port is { Number: > 0 } port)
        {
            if (service.FindPort(port.Number) is null)
            {
                diagnostics.Warn(
                    resource,
                    DiagnosticCodes.ReferencedResourceNotFound,
                    $"{path}.port.number",
                    $"{host} has no port {port.Number} (it has {ports}), so requests sent there fail");
            }
        }
        else if (service.Ports.Count > 1 && !Hostname.IsWildcard(service.Host) && !resource.IsRuleOf(service.Host, config))
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.PortRequired,
                path,
                $"{host} has several ports ({ports}); name one in port.number, or the port of the request is taken");
        }
    }

    /// <summary>A rule of the very service may well leave the port to the request.</summary>
    private static bool IsRuleOf(this ConfigResource resource, string host, ConfigIndex config)
        => ((VirtualService)resource.Spec).Hosts.Any(own => Hostname.Covers(Hostname.Resolve(own, resource.Namespace, config.ClusterDomain), host));
}
