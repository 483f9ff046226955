using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Filters;

/// <summary>What stands at the end of every chain: the router.</summary>
internal interface IFilterTerminal
{
    /// <summary>Matches a request anew, as it looks after a filter has changed it.</summary>
    Decision Route(ClientExchange exchange);

    /// <summary>
    /// Carries out the decision (<see cref="ClientExchange.Decision"/>): picks, sends and answers. Heeds <see cref="EngineExchange.OverrideHost"/>, and leaves
    /// in <see cref="EngineExchange.UpstreamAddress"/> to whom the request went last.
    /// </summary>
    ValueTask<HttpResponseMessage> ForwardAsync(ClientExchange exchange, CancellationToken cancellationToken);

    /// <summary>Sends what follows a redirect (<see cref="ClientExchange.Redirect"/>), from the first filter on.</summary>
    /// <param name="redirect">What follows.</param>
    /// <param name="request">The caller's request, in whose name it is sent.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    ValueTask<HttpResponseMessage> FollowAsync(InternalRedirect redirect, HttpRequestMessage request, CancellationToken cancellationToken);

    /// <summary>A filter answers; unless there is a response already, nothing was sent.</summary>
    void OnReplied(ClientExchange exchange, LocalReply reply);
}
