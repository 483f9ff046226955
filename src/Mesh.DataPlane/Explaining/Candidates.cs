using System.Globalization;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Explaining;

/// <summary>The endpoints of a cluster as those who might be picked: their share, and why some are not.</summary>
internal static class Candidates
{
    // A cluster of ten thousand endpoints explains itself by some.
    private const int MaxCandidates = 500;

    /// <summary>All of them, up to a bound; the picked one is among them.</summary>
    public static IReadOnlyList<Candidate> Of(ClusterState state, Endpoint? picked, TimeProvider time)
    {
        var shares = state.Endpoints.Shares.ToList();
        var candidates = new List<Candidate>();
        foreach (var endpoint in state.Endpoints.Endpoints)
        {
            var dump = EndpointDump.Of(endpoint, state.Policy, time);
            var percent = 0u;
            foreach (var share in shares)
            {
                if (share.Choice.Groups.Any(g => g.Hosts.Contains(endpoint)))
                {
                    percent += share.Percent;
                }
            }

            candidates.Add(new Candidate(dump, percent, endpoint == picked, percent > 0 ? null : WhyNot(dump, shares)));
        }

        return candidates.Count <= MaxCandidates ? candidates : [.. candidates.OrderByDescending(c => c.IsPicked).Take(MaxCandidates)];
    }

    private static string WhyNot(EndpointDump endpoint, List<(uint Percent, LocalityChoice Choice)> shares)
    {
        if (endpoint.Ejection is { } ejection)
        {
            return string.Create(CultureInfo.InvariantCulture, $"it is ejected for {ejection.Reason}, for another {ejection.LeftSeconds:0.#} s");
        }

        if (endpoint.HealthFlags.Count > 0)
        {
            return $"it is {endpoint.Health.ToLowerInvariant()}: {string.Join(", ", endpoint.HealthFlags)}";
        }

        if (shares.Exists(s => s.Choice.Priority < endpoint.Priority) && !shares.Exists(s => s.Choice.Priority == endpoint.Priority))
        {
            return $"priority {shares.Min(s => s.Choice.Priority)} takes all requests";
        }

        return shares.Count == 0 ? "no host of the cluster may be used" : "its weight, or that of its locality, is 0";
    }
}
