using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;

namespace Mesh.Testing;

/// <summary>Writes the decisions of one client into the log of the mesh.</summary>
internal sealed class DecisionRecorder(MeshDecisionLog log, EndpointDirectory endpoints, TimeProvider time, string source) : IDecisionObserver
{
    public void OnDecided(HostEntry host, HttpRequestMessage request, ulong draw, in Decision decision)
    {
        var endpoint = decision.Endpoint is { } picked ? Describe(picked) : null;
        log.Add(new MeshDecision(new RecordedRequest(host.Authority, request), request, source, time.GetUtcNow(), draw, decision, endpoint));
    }

    public void OnOutsideMesh(HttpRequestMessage request, bool refused, string reason)
    {
        var authority = request.Headers.Host ?? request.RequestUri!.Authority;
        var explanation = $"host {authority}: the control plane does not know it; "
            + (refused ? $"refused, because {reason}" : $"passed on to the client's own handler, because {reason}");
        log.Add(new MeshDecision(new RecordedRequest(authority, request), request, source, time.GetUtcNow(), explanation));
    }

    private MeshDecisionEndpoint Describe(Endpoint endpoint)
    {
        var labels = endpoints.Find(endpoint.Resource.Address)?.Labels ?? endpoint.Resource.Labels;
        return new MeshDecisionEndpoint(endpoint.ToString(), labels.GetValueOrDefault("version") ?? "", endpoint.Locality, labels);
    }
}
