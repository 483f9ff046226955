namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>An action and the policies that bring it about (<c>envoy.config.rbac.v3.RBAC</c>), compiled.</summary>
/// <param name="action">What a match means.</param>
/// <param name="policies">The policies; of several that match, the first by name is told, as in Envoy.</param>
internal sealed class RbacPolicies(RbacAction action, IEnumerable<RbacPolicy> policies) : RbacEngine
{
    private readonly RbacIndex _index = new([.. policies.OrderBy(p => p.Name, ByteOrder.Instance)]);

    public RbacAction Action { get; } = action;

    /// <summary>All policies in the order of their names, for explanations.</summary>
    public IEnumerable<RbacPolicy> All => _index.All;

    /// <summary>How many policies are looked at for every request.</summary>
    public int Unindexed => _index.Unindexed;

    public override RbacVerdict Decide(scoped in RbacRequest request)
    {
        var policy = _index.Find(request);
        return Action switch
        {
            RbacAction.Allow => new RbacVerdict(policy is not null, policy?.Name),
            RbacAction.Deny => new RbacVerdict(policy is null, policy?.Name),
            _ => new RbacVerdict(true, policy?.Name, policy is not null),
        };
    }

    /// <summary>Names are compared by the bytes that they have on the wire.</summary>
    private sealed class ByteOrder : IComparer<string>
    {
        public static ByteOrder Instance { get; } = new();

        public int Compare(string? x, string? y)
            => System.Text.Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(y!));
    }
}
