using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>Everything that the listeners of a server's ports are made of, by identity.</summary>
internal static class InboundInputs
{
    public static object?[] Of(Proxy proxy, ConfigIndex config)
    {
        var policies = config.Policies.Of(proxy.Namespace, proxy.Labels);
        return
        [
            .. policies.Parts,
            .. config.ServicesSelecting(proxy.Namespace, proxy.Labels),

            // Which service the keys of an issuer come from.
            .. policies.JwtRules.Select(rule => JwksUri.TryParse(rule.JwksUri, out var uri, out _) ? NamedDestinations.OfUri(proxy, config, uri)?.Service : null),

            // Who is asked about requests, and what the mesh says of them.
            .. CustomPolicies.Asked(proxy, config, policies).Select(asked => asked.Service),
            config.Mesh,

            // Which headers Envoy adds and takes.
            config.ProxyConfigs.Of(proxy),

            // What is told of requests; of those that it makes as well, since nodes are told of changes by it.
            config.SignalsOf(proxy, WorkloadMode.Server),
            config.SignalsOf(proxy, WorkloadMode.Client),
        ];
    }
}
