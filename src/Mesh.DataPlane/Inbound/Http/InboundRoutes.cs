using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>The routes of an inbound listener: to the application, or answered by the mesh.</summary>
internal static class InboundRoutes
{
    public static VirtualHostTable Bind(RouteConfigurationResource resource)
        => new(
            [.. resource.VirtualHosts.Select(host => (
                new VirtualHost(host.Name, [.. host.Routes.Select((route, i) => new RouteEntry(i, route.Name, route.Match, Action(route.Action), route.Policy) { Metadata = route.Metadata })], host.RequiresTls),
                (IReadOnlyList<string>)host.Domains))],
            resource.IgnorePort);

    /// <summary>What routes say of the way to an upstream: there is none.</summary>
    /// <exception cref="ResourceRejectedException">A route changes the path or the host: the application would serve another request than was judged.</exception>
    public static IEnumerable<string> NotHonoured(RouteConfigurationResource resource, string path)
    {
        for (var h = 0; h < resource.VirtualHosts.Length; h++)
        {
            var rewriting = Array.FindIndex(resource.VirtualHosts[h].Routes, r => r.Policy.Rewrite is not null);
            if (rewriting >= 0)
            {
                throw new ResourceRejectedException(
                    $"{path}.virtual_hosts[{h}].routes[{rewriting}].route", "rewrites path or host, and the application would serve another request than policies have judged");
            }
        }

        return resource.VirtualHosts
            .SelectMany((host, h) => host.Routes.SelectMany((route, r) => NotHonoured(route.Policy).Select(field => $"{path}.virtual_hosts[{h}].routes[{r}]: {field} is not applied to requests that go to the application")))
            .Take(20);
    }

    private static IEnumerable<string> NotHonoured(RoutePolicy policy)
    {
        if (policy.Retry is not null)
        {
            yield return "retry_policy";
        }

        if (policy.Hedge is not null)
        {
            yield return "hedge_policy";
        }

        if (policy.HashPolicies is not null)
        {
            yield return "hash_policy";
        }

        if (policy.Mirrors is not null)
        {
            yield return "request_mirror_policies";
        }

        if (policy.InternalRedirect is not null)
        {
            yield return "internal_redirect_policy";
        }

        if (policy.Timeouts is { } timeouts && timeouts != new TimeoutPolicy())
        {
            yield return "timeout";
        }
    }

    private static RouteAction Action(RouteActionResource action)
        => action switch
        {
            { ToApplication: true } => RouteAction.ToApplication.Instance,
            { Response: { } response } => new RouteAction.Respond(response.Status, response.Body),
            { Redirect: { } redirect } => new RouteAction.RedirectTo(redirect),
            _ => new RouteAction.Unsupported(action.Unsupported!),
        };
}
