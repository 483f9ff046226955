using Envoy.Type.V3;
using Istio.Networking.V1Alpha3;
using MirrorPolicy = Envoy.Config.Route.V3.RouteAction.Types.RequestMirrorPolicy;
using Percent = Istio.Networking.V1Alpha3.Percent;

namespace Mesh.ControlPlane.Generators;

/// <summary><c>mirror</c> and <c>mirrors</c>: copies of requests whose answers nobody waits for.</summary>
internal static class MirrorTranslator
{
    private const uint All = 100;

    /// <param name="route">The rule's entry.</param>
    /// <param name="clusterOf">The name of a destination's cluster.</param>
    public static IEnumerable<MirrorPolicy> Translate(HTTPRoute route, Func<Destination, string> clusterOf)
    {
        if (route.Mirror is { } mirror && ShareOf(route) is { } share)
        {
            yield return Policy(clusterOf(mirror), share);
        }

        foreach (var further in route.Mirrors)
        {
            if (further.Destination is { } destination && ShareOf(further.Percentage) is { } part)
            {
                yield return Policy(clusterOf(destination), part);
            }
        }
    }

    private static MirrorPolicy Policy(string cluster, FractionalPercent share)
        => new() { Cluster = cluster, RuntimeFraction = FractionalPercents.Default(share), TraceSampled = false };

    /// <summary>Without a percentage everything is mirrored; at zero nothing is, which Envoy has no word for.</summary>
    private static FractionalPercent? ShareOf(HTTPRoute route)
    {
#pragma warning disable CS0612 // Istio still accepts it where mirrorPercentage is absent.
        return route.MirrorPercentage is null && route.MirrorPercent is { } percent
            ? percent > 0 ? FractionalPercents.Of(percent) : null
            : ShareOf(route.MirrorPercentage);
#pragma warning restore CS0612
    }

    private static FractionalPercent? ShareOf(Percent? percentage)
        => percentage is null ? FractionalPercents.Of(All) : percentage.Value > 0 ? FractionalPercents.Of(percentage) : null;
}
