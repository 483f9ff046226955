using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Explaining;

/// <summary>Sees every decision as it is made; without one, nothing is recorded and nothing is paid.</summary>
internal interface IDecisionObserver
{
    /// <summary>A request has been routed, and is still as its caller made it: neither filters nor routes have changed it.</summary>
    void OnRouted(HttpRequestMessage request)
    {
    }

    void OnDecided(HostEntry host, HttpRequestMessage request, ulong draw, in Decision decision);

    /// <summary>A request left the mesh untouched, or was refused, because the control plane does not know its host; the reason says whose will it was.</summary>
    void OnOutsideMesh(HttpRequestMessage request, bool refused, string reason);

    /// <summary>The mesh answered a request itself; what it may have decided before came to nothing.</summary>
    /// <param name="request">The caller's request.</param>
    /// <param name="reply">The reply, with all its flags.</param>
    void OnReplied(HttpRequestMessage request, LocalReply reply)
    {
    }
}
