namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Tells in a request's options what became of it. The options are made, with a dictionary, when they are first touched; a request that succeeds
/// at its first attempt has nothing to tell, and until some request of this process had, there is nothing to take back either.
/// </summary>
internal static class RequestOutcome
{
    private static readonly HttpRequestOptionsKey<LocalReply> ReplyKey = new("mesh.local_reply");

    private static bool _anythingTold;

    /// <summary>A message may be sent again: what an earlier sending left behind is not this one's outcome.</summary>
    public static void Forget(HttpRequestMessage request)
    {
        if (!Volatile.Read(ref _anythingTold))
        {
            return;
        }

        IDictionary<string, object?> options = request.Options;
        if (options.Count > 0)
        {
            options.Remove(ReplyKey.Key);
            options.Remove(MeshRequest.ResponseFlags.Key);
            options.Remove(MeshRequest.ResponseCodeDetails.Key);
            options.Remove(MeshRequest.Attempts.Key);
            options.Remove(MeshRequest.RefusalReason.Key);
        }
    }

    /// <summary>What became of a request that was sent in another's place is what became of the other.</summary>
    public static void Pass(HttpRequestMessage from, HttpRequestMessage to)
    {
        if (from.Options.TryGetValue(ReplyKey, out var reply))
        {
            to.Options.Set(ReplyKey, reply);
        }

        if (from.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags))
        {
            to.Options.Set(MeshRequest.ResponseFlags, flags);
        }

        if (from.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details))
        {
            to.Options.Set(MeshRequest.ResponseCodeDetails, details);
        }

        if (from.Options.TryGetValue(MeshRequest.Attempts, out var attempts))
        {
            to.Options.Set(MeshRequest.Attempts, attempts);
        }
    }

    /// <summary>The reply that a request got; <see langword="null"/> when its response is an upstream's.</summary>
    public static LocalReply? ReplyTo(HttpRequestMessage request) => request.Options.TryGetValue(ReplyKey, out var reply) ? reply : null;

    public static void TellReply(HttpRequestMessage request, LocalReply reply)
    {
        TellFlags(request, reply.Flags, reply.Details);
        request.Options.Set(ReplyKey, reply);
    }

    /// <summary>Envoy's word for a caller that has left, if that is what happened; always <see langword="false"/>, to stand in an exception filter.</summary>
    public static bool TellGone(HttpRequestMessage request, CancellationToken caller)
    {
        if (caller.IsCancellationRequested)
        {
            TellFlags(request, "DC", LocalReply.CallerGone);
        }

        return false;
    }

    public static void TellFlags(HttpRequestMessage request, string flags, string details)
    {
        Volatile.Write(ref _anythingTold, true);
        request.Options.Set(MeshRequest.ResponseFlags, flags);
        request.Options.Set(MeshRequest.ResponseCodeDetails, details);
    }

    public static void TellFlags(HttpRequestMessage request, string flags)
    {
        Volatile.Write(ref _anythingTold, true);
        request.Options.Set(MeshRequest.ResponseFlags, flags);
    }

    public static void TellRefusal(HttpRequestMessage request, string reason)
    {
        Volatile.Write(ref _anythingTold, true);
        request.Options.Set(MeshRequest.RefusalReason, reason);
    }

    public static void TellAttempts(HttpRequestMessage request, int attempts)
    {
        Volatile.Write(ref _anythingTold, true);
        request.Options.Set(MeshRequest.Attempts, attempts);
    }
}
