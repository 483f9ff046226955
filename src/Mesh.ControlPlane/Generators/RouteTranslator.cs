using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>One <c>http</c> entry and one of its matches become one route, for one client and one port.</summary>
internal sealed class RouteTranslator(Proxy proxy, ConfigIndex config, VirtualServiceRule rule, uint port)
{
    private readonly RouteActionTranslator _actions = new(proxy, config, rule.Source.Namespace, port);

    public Route Translate(HTTPRoute http, HTTPMatchRequest? match, RouteMatch routeMatch)
    {
        var route = new Route
        {
            Name = match is { Name.Length: > 0 } ? $"{http.Name}.{match.Name}" : http.Name,
            Match = routeMatch,
            Metadata = IstioMetadata.OfConfig(rule.Source),
            StatPrefix = match?.StatPrefix ?? "",
        };
        var headers = new HeaderOperations(http.Headers);
        if (proxy.Kind == ProxyKind.Mesh)
        {
            headers.AddTo(route.RequestHeadersToAdd, route.RequestHeadersToRemove, route.ResponseHeadersToAdd, route.ResponseHeadersToRemove);
        }

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
            _actions.SetAction(route, http, headers.Authority);
        }

        AddFilterSettings(route, http);
        return route;
    }

    private void AddFilterSettings(Route route, HTTPRoute http)
    {
        if (FaultTranslator.Translate(http.Fault) is { } fault)
        {
            route.TypedPerFilterConfig[HttpFilters.Fault] = Any.Pack(fault);
        }

        if (proxy.Kind == ProxyKind.Mesh && http.CorsPolicy is { } cors)
        {
            route.TypedPerFilterConfig[HttpFilters.Cors] = Any.Pack(CorsTranslator.Translate(cors));
        }
    }
}
