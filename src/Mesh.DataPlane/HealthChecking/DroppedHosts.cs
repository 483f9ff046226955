using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>
/// Envoy trusts its own checks more than discovery: a host that the control plane has dropped serves on while its checks pass, unless
/// <c>ignore_health_on_host_removal</c> is set.
/// </summary>
internal static class DroppedHosts
{
    /// <param name="current">The hosts in use.</param>
    /// <param name="next">The hosts that discovery tells of now.</param>
    /// <param name="passes">Whether a host's checks pass.</param>
    public static EndpointsResource Keep(EndpointsResource current, EndpointsResource next, Func<EndpointResource, bool> passes)
    {
        var told = next.Localities.SelectMany(l => l.Endpoints).Select(e => e.Address).ToHashSet();
        var localities = next.Localities.ToList();
        foreach (var locality in current.Localities)
        {
            EndpointResource[] kept = [.. locality.Endpoints.Where(e => !told.Contains(e.Address) && e.Health != EndpointHealth.Unhealthy && passes(e))];
            if (kept.Length == 0)
            {
                continue;
            }

            var at = localities.FindIndex(l => l.Locality == locality.Locality && l.Priority == locality.Priority);
            if (at < 0)
            {
                localities.Add(locality with { Endpoints = kept });
            }
            else
            {
                localities[at] = localities[at] with { Endpoints = [.. localities[at].Endpoints, .. kept] };
            }
        }

        return localities.Count == next.Localities.Length && localities.SequenceEqual(next.Localities) ? next : next with { Localities = [.. localities] };
    }
}
