namespace Mesh.Filters;

/// <summary>
/// An HTTP filter of the mesh: sees a request before it is sent to an endpoint, and its response before the caller does. One object stands for one
/// configuration, and serves all requests to which that configuration applies, many at once; what belongs to one request lives in
/// <see cref="HttpExchange.State"/>.
/// </summary>
/// <remarks>
/// Applications derive from it, register the type by <c>AddMeshFilter&lt;TFilter&gt;(typeUrl)</c>, and xDS puts it into the chain: by a listener's
/// <c>http_filters</c>, and for single routes by <c>typed_per_filter_config</c>. The constructor takes services of the container and, where there
/// is one, the configuration as a <see cref="System.Text.Json.JsonElement"/>; it runs when the configuration arrives, and when it throws, the
/// resource is refused (NACK) and the previous one stays in force. The configuration that is closest to the route (weighted cluster, route,
/// virtual host, route configuration, listener) takes the place of the others.
/// <para>
/// A filter that throws answers its request with 500, and nothing else. Complete synchronously where you can: it costs nothing then.
/// </para>
/// </remarks>
public abstract class HttpFilter
{
    /// <summary>
    /// Called for each request, in the order in which the listener names its filters. A filter that answers by itself
    /// (<see cref="HttpExchange.Reply(FilterReply)"/>) ends the request phase.
    /// </summary>
    /// <param name="exchange">The request; valid until the exchange has ended.</param>
    /// <param name="cancellationToken">The caller has lost interest.</param>
    public virtual ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>
    /// Called when the response's headers are there, in reverse order. Replies of the mesh and of other filters pass as well, and for these
    /// <see cref="OnRequestAsync"/> need not have been called, as in Envoy.
    /// </summary>
    /// <param name="exchange">The request and the response.</param>
    /// <param name="cancellationToken">The caller has lost interest.</param>
    public virtual ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>
    /// Called once for each request that <see cref="OnRequestAsync"/> has seen, when the response is handed to the caller, or when there will be
    /// none: it was cancelled, or sending it threw.
    /// </summary>
    /// <param name="exchange">The exchange; it is not valid any more when this returns.</param>
    public virtual void OnEnd(HttpExchange exchange)
    {
    }

    /// <summary>Whether <see cref="OnResponseAsync"/> may reply, read the body or let it run through a stream; otherwise a door need not stand in the body's way.</summary>
    internal virtual bool MayReplaceResponse => true;
}
