using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Clusters;

/// <summary>The hosts of one priority that take requests: one group, or one a locality, chosen by effective weight.</summary>
internal sealed class LocalityChoice(uint priority, string kind, HostGroup[] groups, ulong[] upperBounds)
{
    public uint Priority { get; } = priority;

    /// <summary><c>healthy</c>, <c>degraded</c> or <c>panic</c>.</summary>
    public string Kind { get; } = kind;

    public IReadOnlyList<HostGroup> Groups { get; } = groups;

    public Endpoint Pick(in PickContext context)
    {
        if (groups.Length == 1)
        {
            return groups[0].Picker.Pick(context);
        }

        var point = Math.BigMul(context.Draw, upperBounds[^1], out _);
        var i = 0;
        while (point >= upperBounds[i])
        {
            i++;
        }

        return groups[i].Picker.Pick(context.Next());
    }
}
