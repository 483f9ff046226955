using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Clusters;

/// <summary>The hosts of one priority that take requests: one group, or one a locality, chosen by effective weight.</summary>
/// <param name="priority">Its number.</param>
/// <param name="kind"><c>healthy</c>, <c>degraded</c> or <c>panic</c>.</param>
/// <param name="groups">The groups.</param>
/// <param name="upperBounds">The sums of their weights.</param>
/// <param name="picks">Counts picks that are no ordinary ones; <see langword="null"/> where all are.</param>
internal sealed class LocalityChoice(uint priority, string kind, HostGroup[] groups, ulong[] upperBounds, LocalityPicks? picks = null)
{
    public uint Priority { get; } = priority;

    /// <summary><c>healthy</c>, <c>degraded</c> or <c>panic</c>.</summary>
    public string Kind { get; } = kind;

    public IReadOnlyList<HostGroup> Groups { get; } = groups;

    public Endpoint Pick(in PickContext context)
    {
        if (groups.Length == 1)
        {
            picks?.Count(groups[0], context);
            return groups[0].Picker.Pick(context);
        }

        var point = Math.BigMul(context.Draw, upperBounds[^1], out _);
        var i = 0;
        while (point >= upperBounds[i])
        {
            i++;
        }

        picks?.Count(groups[i], context);
        return groups[i].Picker.Pick(context.Next());
    }
}
