using Google.Rpc;

namespace Mesh.Xds.Serving;

/// <summary>What one connected node may see. Called by that connection's loop only, one call at a time.</summary>
internal interface IAdsNodeView : IDisposable
{
    /// <summary>Fires when what the node has proven holds no longer: its stream ends, and the next one proves anew.</summary>
    CancellationToken Expired => CancellationToken.None;

    /// <summary>
    /// The resources of a kind for this node as of now. Wildcard: all. Otherwise those of <paramref name="names"/> that exist; a name may be
    /// answered by a resource of that same name only. Pure, cheap when nothing changed: unchanged resources are the same instances.
    /// </summary>
    IReadOnlyCollection<AdsResource> GetResources(string typeUrl, bool wildcard, IReadOnlyCollection<string> names);

    /// <summary>Kinds that <see cref="GetResources"/> can answer; a request for another is ignored.</summary>
    bool Serves(string typeUrl);

    /// <summary>The node accepted what it was sent.</summary>
    void OnAck(string typeUrl, string version);

    /// <summary>The node refused what it was sent.</summary>
    void OnNack(string typeUrl, string version, Status error);

    /// <summary>The workload reported its readiness (<c>istio.v1.HealthInformation</c>).</summary>
    /// <returns>Completes when every other client has acknowledged what follows from the report.</returns>
    Task OnHealthAsync(bool healthy, string? message, CancellationToken cancellationToken);
}
