using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Explaining;

/// <summary>What a priority takes of a cluster's requests.</summary>
/// <param name="Percent">How much.</param>
/// <param name="Priority">Whose.</param>
/// <param name="Kind"><c>healthy</c>, <c>degraded</c> or <c>panic</c>: by which of its hosts.</param>
/// <param name="Localities">The localities of those hosts.</param>
/// <param name="Hosts">How many they are.</param>
internal sealed record ShareDump(uint Percent, uint Priority, string Kind, IReadOnlyList<string> Localities, int Hosts)
{
    public static ShareDump Of((uint Percent, LocalityChoice Choice) share)
        => new(
            share.Percent,
            share.Choice.Priority,
            share.Choice.Kind,
            [.. share.Choice.Groups.Select(g => g.Locality).Where(l => l.Length > 0).Distinct(StringComparer.Ordinal)],
            share.Choice.Groups.Sum(g => g.Hosts.Length));
}
