using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Gives a response the headers that the route wants its callers to see, as Envoy's <c>finalizeResponseHeaders</c> does: on what an upstream has
/// answered and on what the mesh answers itself. A value that would break a header is left out.
/// </summary>
internal static class ResponseFinalizer
{
    private static readonly HeaderName ContentType = new("content-type");

    public static bool Applies(in Decision routed)
        => routed.Route is { Policy.ResponseHeaders: not null } || routed.Choice is { ResponseHeaders: not null };

    /// <summary>To the response of an upstream, before the caller sees it.</summary>
    /// <param name="decision">Where the request went.</param>
    /// <param name="request">The request as it was sent.</param>
    /// <param name="response">The response, whose content may have been wrapped.</param>
    /// <param name="time">What <c>%START_TIME%</c> reads.</param>
    /// <param name="reply">The local reply that the response is, where it is one.</param>
    public static void Apply(in Decision decision, HttpRequestMessage request, HttpResponseMessage response, TimeProvider time, LocalReply? reply = null)
    {
        if (!Applies(decision))
        {
            return;
        }

        var headers = new ResponseHeaderMap(response);
        var context = FormatContexts.Of(decision, request, RequestTarget.AuthorityOf(request), time, response) with
        {
            ResponseFlags = reply?.Flags,
            ResponseCodeDetails = reply?.Details ?? "via_upstream",
            LocalReplyBody = reply?.Body,
        };
        decision.Choice?.ResponseHeaders?.Apply(headers, context);
        foreach (var level in decision.Route!.Policy.ResponseHeaders ?? [])
        {
            level.Apply(headers, context);
        }
    }

    /// <summary>To a local reply: its own content type is only what stands where the route sets none.</summary>
    public static void ApplyToReply(in Decision decision, HttpRequestMessage request, HttpResponseMessage response, TimeProvider time, LocalReply reply)
    {
        if (!Applies(decision))
        {
            return;
        }

        var headers = new ResponseHeaderMap(response);
        var own = response.Content.Headers.ContentType?.ToString();
        headers.Remove(ContentType);
        Apply(decision, request, response, time, reply);
        if (own is null)
        {
            // Nothing to have a type.
            headers.Remove(ContentType);
        }
        else if (!headers.Contains(ContentType))
        {
            headers.Add(ContentType, own);
        }
    }
}
