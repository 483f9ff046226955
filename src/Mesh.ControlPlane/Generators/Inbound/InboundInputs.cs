using Mesh.ControlPlane.Model;

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
            .. policies.JwtRules.Where(rule => rule.JwksUri.Length > 0).Select(rule => NamedDestinations.OfUri(proxy, config, rule.JwksUri)),
        ];
    }
}
