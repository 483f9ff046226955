using Envoy.Config.Route.V3;
using Google.Protobuf.Collections;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The routes of one host and port: what its VirtualService says, else everything to the service itself.</summary>
internal static class RouteGenerator
{
    private const string DefaultRouteName = "default";

    /// <summary>What a document may carry, beyond Envoy's own 4 KiB.</summary>
    private const uint MaxDirectResponseBody = 1024 * 1024;

    /// <returns>The route configuration, or <see langword="null"/> when the client knows no such host and port.</returns>
    public static RouteConfiguration? Generate(Proxy proxy, ConfigIndex config, SubsetKey key)
    {
        if (key.Subset.Length > 0)
        {
            return null;
        }

        var scope = config.ScopeOf(proxy);
        var service = scope.FindService(key.Host);
        var port = service?.FindPort(key.Port);
        if (service is null ? key.Port != HostTarget.RuleOnlyPort : port is null)
        {
            return null;
        }

        var rule = scope.FindRule(service, key.Host, key.Port);
        var seesTls = proxy.IsInProcess && port is not null && port.Protocol.IsTls();
        var routes = rule is not null && (seesTls || (port?.Protocol.IsHttp() ?? true)) ? RoutesOf(proxy, config, rule, key.Port, seesTls) : [];
        var isComplete = seesTls && AddSniRoutes(routes, proxy, config, service!, key);
        if (routes.Count == 0 || (seesTls && !isComplete))
        {
            if (service is null)
            {
                return null;
            }

            // As in Istio, a rule of which nothing is left for this client and port is no rule.
            routes.Add(DefaultRoute(proxy, config, key));
        }

        var host = new VirtualHost
        {
            Name = $"{key.Host}:{key.Port}",
            Domains = { HostAliases.Of(key.Host, key.Port, proxy.Namespace, config.ClusterDomain) },
            Routes = { routes },
            IncludeRequestAttemptCount = proxy.Kind == ProxyKind.Mesh && !config.ProxyConfigs.Of(proxy).EnvoyHeaders.HidesAttempts,
        };
        if (proxy.Kind == ProxyKind.Grpc && !host.Domains.Contains("*"))
        {
            // gRPC looks its target up by the authority, which the application may override.
            host.Domains.Add("*");
        }

        if (proxy.Kind == ProxyKind.Mesh && service is not null)
        {
            host.Domains.AddRange(scope.AliasesOf(service).SelectMany(alias => HostAliases.Of(alias.Host, key.Port, proxy.Namespace, config.ClusterDomain)));
            AddAddresses(host.Domains, service, key.Port);
        }

        return new RouteConfiguration
        {
            Name = key.ToString(),
            VirtualHosts = { host },
            MaxDirectResponseBodySizeBytes = proxy.Kind == ProxyKind.Mesh ? MaxDirectResponseBody : null,
        };
    }

    /// <summary>A host is called by its addresses as well. Domains cannot say a subnet; who comes here by one has been told so by its listener.</summary>
    private static void AddAddresses(RepeatedField<string> domains, MeshService service, uint port)
    {
        domains.AddRange(service.Addresses.SelectMany(address => HostAliases.OfAddress(address, port)).Where(name => !domains.Contains(name)).ToArray());
        if (service.Addresses.Any(address => address.Contains('/', StringComparison.Ordinal)) && !domains.Contains("*"))
        {
            domains.Add("*");
        }
    }

    /// <summary>Behind the <c>http</c> routes, for what they leave, the <c>tls</c> routes of a port where TLS is spoken.</summary>
    /// <returns>Whether nothing is left.</returns>
    private static bool AddSniRoutes(List<Route> routes, Proxy proxy, ConfigIndex config, MeshService service, SubsetKey key)
    {
        if (routes.Count > 0 && RouteMatchTranslator.MatchesEverything(routes[^1].Match))
        {
            return true;
        }

        var (bySni, isComplete) = new SniRouteTranslator(proxy, config, service, key).Translate(config.ScopeOf(proxy).FindVirtualServices(key.Host, key.Port));
        routes.AddRange(bySni);
        return isComplete;
    }

    private static List<Route> RoutesOf(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, uint port, bool isTls)
    {
        var routes = new List<Route>();
        var translator = new RouteTranslator(proxy, config, rule, port);
        foreach (var http in rule.Spec.Http.Where(HasAction))
        {
            if (isTls && IsForPlainText(proxy, config, rule, http, port))
            {
                continue;
            }

            if (http.Match.Count == 0)
            {
                routes.Add(translator.Translate(http, null, RouteMatchTranslator.Translate(proxy.Kind, null)));
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
                    routes.Add(translator.Translate(http, match, routeMatch));
                }

                if (routes.Count > 0 && RouteMatchTranslator.MatchesEverything(routes[^1].Match))
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

    /// <summary>Istio applies no <c>http</c> route to such a port: one that would send TLS to where none is spoken, or around in a circle, was not meant for it.</summary>
    private static bool IsForPlainText(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, HTTPRoute http, uint port)
        => http.Redirect is { Scheme: "https", Authority: "", Uri: "", PrefixRewrite: "" }
            || http.Route.Where(route => route.Weight > 0 || http.Route.Count == 1).Any(route =>
            {
                var to = DestinationKey.Of(proxy, config, rule.Source.Namespace, port, route.Destination);
                var service = config.ScopeOf(proxy).FindDestination(to.Host);
                if (service?.FindPort(to.Port) is not { } found || !found.Protocol.IsHttp() || found.Protocol == PortProtocol.Auto)
                {
                    return false;
                }

                var destinationRule = config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
                return UpstreamTlsTranslator.Of(proxy, service, found, destinationRule?.PolicyFor(destinationRule.FindSubset(to.Subset), to.Port).Tls) is null;
            });

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

    private static Route DefaultRoute(Proxy proxy, ConfigIndex config, SubsetKey key) => new()
    {
        Name = DefaultRouteName,
        Match = RouteMatchTranslator.Translate(proxy.Kind, null),
        Route_ = new RouteActionTranslator(proxy, config, proxy.Namespace, key.Port).ToService(key),
    };
}
