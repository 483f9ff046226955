using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The routes of one host and port: what its VirtualService says, else everything to the service itself.</summary>
internal static class RouteGenerator
{
    private const string DefaultRouteName = "default";

    /// <returns>The route configuration, or <see langword="null"/> when the client knows no such host and port.</returns>
    public static RouteConfiguration? Generate(Proxy proxy, ConfigIndex config, SubsetKey key)
    {
        if (key.Subset.Length > 0)
        {
            return null;
        }

        var service = config.FindService(proxy.Namespace, key.Host);
        var port = service?.FindPort(key.Port);
        if (service is null ? key.Port != HostTarget.RuleOnlyPort : port is null)
        {
            return null;
        }

        var rule = config.FindVirtualService(proxy.Namespace, key.Host);
        var routes = rule is not null && (port?.Protocol.IsHttp() ?? true) ? RoutesOf(proxy, config, rule, key.Port) : [];
        if (routes.Count == 0)
        {
            if (service is null)
            {
                return null;
            }

            // As in Istio, a rule of which nothing is left for this client and port is no rule.
            routes.Add(DefaultRoute(proxy, key));
        }

        var host = new VirtualHost
        {
            Name = $"{key.Host}:{key.Port}",
            Domains = { HostAliases.Of(key.Host, key.Port, proxy.Namespace, config.ClusterDomain) },
            Routes = { routes },
        };
        if (proxy.Kind == ProxyKind.Grpc && !host.Domains.Contains("*"))
        {
            // gRPC looks its target up by the authority, which the application may override.
            host.Domains.Add("*");
        }

        return new RouteConfiguration { Name = key.ToString(), VirtualHosts = { host } };
    }

    private static List<Route> RoutesOf(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, uint port)
    {
        var routes = new List<Route>();
        foreach (var http in rule.Spec.Http.Where(HasAction))
        {
            if (http.Match.Count == 0)
            {
                routes.Add(Translate(proxy, config, rule, http, null, RouteMatchTranslator.Translate(proxy.Kind, null), port));
                break;
            }

            foreach (var match in http.Match)
            {
                if (!AppliesTo(proxy, match, port))
                {
                    continue;
                }

                foreach (var routeMatch in RouteMatchTranslator.TranslateAll(proxy.Kind, match))
                {
                    routes.Add(Translate(proxy, config, rule, http, match, routeMatch, port));
                }

                if (RouteMatchTranslator.MatchesEverything(routes[^1].Match))
                {
                    // Nothing behind it can ever match.
                    return routes;
                }
            }
        }

        return routes;
    }

    /// <summary>An entry that says nothing about what to do (a delegate, or no weight at all) would be refused, and the good routes with it.</summary>
    private static bool HasAction(HTTPRoute http)
        => http.Redirect is not null || http.DirectResponse is not null || http.Route.Count == 1 || http.Route.Any(route => route.Weight > 0);

    /// <summary>What of a match is known when routes are made: the port, and who is asking.</summary>
    private static bool AppliesTo(Proxy proxy, HTTPMatchRequest match, uint port)
    {
        if (match.Port != 0 && match.Port != port)
        {
            return false;
        }

        // Naming gateways replaces the test of the source, as in Istio.
        if (match.Gateways.Count > 0)
        {
            return match.Gateways.Contains("mesh");
        }

        return (match.SourceNamespace.Length == 0 || match.SourceNamespace == proxy.Namespace)
            && match.SourceLabels.All(label => proxy.Labels.TryGetValue(label.Key, out var value) && value == label.Value);
    }

    private static Route Translate(
        Proxy proxy, ConfigIndex config, VirtualServiceRule rule, HTTPRoute http, HTTPMatchRequest? match, RouteMatch routeMatch, uint port)
    {
        var route = new Route
        {
            Name = match is { Name.Length: > 0 } ? $"{http.Name}.{match.Name}" : http.Name,
            Match = routeMatch,
            Metadata = IstioMetadata.OfConfig(rule.Source),
            StatPrefix = match?.StatPrefix ?? "",
        };
        if (http.Redirect is not null)
        {
            route.Redirect = RedirectTranslator.Translate(http.Redirect, port);
        }
        else if (http.DirectResponse is not null)
        {
            route.DirectResponse = RedirectTranslator.Translate(http.DirectResponse);
        }
        else
        {
            route.Route_ = ActionOf(proxy, config, rule, http, port);
        }

        return route;
    }

    private static RouteAction ActionOf(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, HTTPRoute http, uint port)
    {
        var action = new RouteAction();
        if (http.Route.Count == 1)
        {
            action.Cluster = ClusterOf(proxy, config, rule, http.Route[0].Destination, port);
        }
        else
        {
            var weighted = new WeightedCluster();
            foreach (var destination in http.Route)
            {
                if (destination.Weight > 0)
                {
                    weighted.Clusters.Add(new WeightedCluster.Types.ClusterWeight
                    {
                        Name = ClusterOf(proxy, config, rule, destination.Destination, port),
                        Weight = (uint)destination.Weight,
                    });
                }
            }

            action.WeightedClusters = weighted;
        }

        SetTimeout(proxy, action, http.Timeout);
        return action;
    }

    private static string ClusterOf(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, Destination destination, uint requestPort)
    {
        var host = Hostname.Resolve(destination.Host, rule.Source.Namespace, config.ClusterDomain);
        var port = destination.Port?.Number ?? 0;
        if (port == 0)
        {
            port = config.FindService(proxy.Namespace, host) is { Ports: [var only] } ? only.Number : requestPort;
        }

        return new SubsetKey(port, destination.Subset, host).ToString();
    }

    private static Route DefaultRoute(Proxy proxy, SubsetKey key)
    {
        var action = new RouteAction { Cluster = key.ToString() };
        if (proxy.Kind == ProxyKind.Mesh)
        {
            SetTimeout(proxy, action, null);
        }

        return new Route { Name = DefaultRouteName, Match = RouteMatchTranslator.Translate(proxy.Kind, null), Route_ = action };
    }

    /// <summary>Istio has no timeout unless one is written; Envoy's 15 seconds must be switched off. gRPC reads the stream's only (gRFC A31).</summary>
    private static void SetTimeout(Proxy proxy, RouteAction action, Duration? timeout)
    {
        timeout ??= new Duration();
        if (proxy.Kind == ProxyKind.Grpc)
        {
            action.MaxStreamDuration = new RouteAction.Types.MaxStreamDuration { MaxStreamDuration_ = timeout };
        }
        else
        {
            action.Timeout = timeout;
        }
    }
}
