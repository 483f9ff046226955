using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>Lets a request name its host by a header (Envoy's <c>override_host</c> policy).</summary>
internal static class OverrideHost
{
    /// <summary>The pick with the first host that the first of the headers names; as it was when none is there.</summary>
    public static PickContext Apply(IReadOnlyList<HeaderName> headers, in PickContext pick, scoped in RequestView view)
    {
        foreach (var header in headers)
        {
            if (view.TryGetHeader(header, out var value) && !value.IsEmpty)
            {
                var comma = value.IndexOf(',');
                return pick with { OverrideHost = (comma < 0 ? value : value[..comma]).Trim().ToString() };
            }
        }

        return pick;
    }
}
