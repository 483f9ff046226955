using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>Hashes requests to clusters of consistent hashing; the others are asked nothing.</summary>
internal static class RequestHash
{
    /// <summary>What requests to the cluster are placed by: its own hash policies if it has any, else the route's; <see langword="null"/> when by none.</summary>
    public static HashPolicies? PoliciesOf(in Decision routed)
        => routed.Cluster?.Current.Policy is { LoadBalancing: ConsistentHashing } cluster ? cluster.HashPolicies ?? routed.Route!.Policy.HashPolicies : null;

    /// <summary>The pick with the request's hash.</summary>
    /// <param name="policies">What the request is placed by.</param>
    /// <param name="pick">The pick so far.</param>
    /// <param name="view">What the matchers see of the request.</param>
    /// <param name="request">The request itself, where its door has one.</param>
    /// <param name="setCookie">The <c>Set-Cookie</c> that the response must carry; <see langword="null"/> mostly.</param>
    public static PickContext Apply(HashPolicies policies, in PickContext pick, scoped in RequestView view, HttpRequestMessage? request, out string? setCookie)
        => policies.TryHash(view, request, pick.Draw, out var hash, out setCookie) ? pick with { HasHash = true, Hash = hash } : pick;
}
