using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A policy that picks in proportion to weights, which may grow while hosts start.</summary>
internal abstract record WeightingPolicy : LoadBalancingPolicy
{
    /// <summary>How new hosts are warmed up; <see langword="null"/> when they have their weight at once.</summary>
    public SlowStart? SlowStart { get; init; }

    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state)
        => SlowStart is null || hosts.Length == 1
            ? CreatePicker(hosts, [.. hosts.Select(h => h.Resource.Weight)], state)
            : new ReweighedPicker(hosts, state, (weights, s) => CreatePicker(hosts, weights, s), new StartingWeights(SlowStart));

    /// <summary>Builds the picker for given weights.</summary>
    /// <param name="hosts">At least one host.</param>
    /// <param name="weights">One for each host, at least 1.</param>
    /// <param name="state">What the group remembers across updates.</param>
    protected abstract HostPicker CreatePicker(Endpoint[] hosts, uint[] weights, HostGroupState state);

    protected static bool AreEqual(uint[] weights) => !weights.AsSpan().ContainsAnyExcept(weights[0]);
}
