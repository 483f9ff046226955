using System.Numerics;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>What consistent hashing places a request by (Envoy's <c>hash_policy</c>): several policies make one hash.</summary>
internal sealed class HashPolicies(HashPolicy[] policies)
{
    /// <summary>Hashes a request. Allocates nothing unless a header is rewritten, several values are joined or a cookie is generated.</summary>
    /// <param name="view">What the matchers see of the request.</param>
    /// <param name="request">The request itself, where its door has one.</param>
    /// <param name="draw">The request's random draw, from which a new cookie gets its value.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="setCookie">A <c>Set-Cookie</c> that the response must carry, so that the next request has the same hash.</param>
    /// <returns><see langword="false"/> when no policy found what it hashes: the request may go anywhere.</returns>
    public bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
    {
        hash = 0;
        setCookie = null;
        var found = false;
        foreach (var policy in policies)
        {
            if (policy.TryHash(view, request, draw, out var value, out var cookie))
            {
                // Rotating keeps two equal policies from cancelling each other out.
                hash = BitOperations.RotateLeft(hash, 1) ^ value;
                setCookie ??= cookie;
                found = true;
            }

            if (found && policy.IsTerminal)
            {
                break;
            }
        }

        return found;
    }
}
