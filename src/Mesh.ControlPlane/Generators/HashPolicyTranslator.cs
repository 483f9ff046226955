using Istio.Networking.V1Alpha3;
using Consistent = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.ConsistentHashLB;
using HashKey = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.ConsistentHashLB.HashKeyOneofCase;
using HashPolicy = Envoy.Config.Route.V3.RouteAction.Types.HashPolicy;

namespace Mesh.ControlPlane.Generators;

/// <summary>What of a request is hashed: said by the DestinationRule, needed on the route that leads to its cluster.</summary>
internal static class HashPolicyTranslator
{
    /// <returns>The policy, or <see langword="null"/> when there is nothing to hash, or the client knows no such policy.</returns>
    public static HashPolicy? Translate(ProxyKind kind, Consistent? hash) => hash?.HashKeyCase switch
    {
        HashKey.HttpHeaderName => new HashPolicy { Header = new() { HeaderName = hash.HttpHeaderName } },
        // gRPC hashes headers and nothing else of a request (gRFC A42).
        _ when kind == ProxyKind.Grpc => null,
        HashKey.HttpCookie => new HashPolicy { Cookie = CookieOf(hash.HttpCookie) },
        HashKey.UseSourceIp => new HashPolicy { ConnectionProperties = new() { SourceIp = hash.UseSourceIp } },
        HashKey.HttpQueryParameterName => new HashPolicy { QueryParameter = new() { Name = hash.HttpQueryParameterName } },
        _ => null,
    };

    private static HashPolicy.Types.Cookie CookieOf(Consistent.Types.HTTPCookie cookie) => new()
    {
        Name = cookie.Name,
        Path = cookie.Path,
        Ttl = cookie.Ttl,
        Attributes = { cookie.Attributes.Select(attribute => new HashPolicy.Types.CookieAttribute { Name = attribute.Name, Value = attribute.Value }) },
    };
}
