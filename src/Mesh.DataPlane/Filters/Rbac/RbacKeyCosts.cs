using System.Runtime.InteropServices;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>How many policies share a key: of two conditions that a policy sets, it is found by the rarer one.</summary>
internal sealed class RbacKeyCosts
{
    // As many requests come by GET as by everything else together: a method tells little.
    private const int MethodFactor = 16;

    private readonly Dictionary<RbacKey, int> _counts = [];

    public void Add(RbacKey? key)
    {
        if (key is { } known)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, known, out _)++;
        }
    }

    public RbacKeySet? SetOf(RbacKey? key)
        => key is { } known ? new RbacKeySet([known], _counts.GetValueOrDefault(known, 1) * (known.Header == ":method" ? MethodFactor : 1)) : null;
}
