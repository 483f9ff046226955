namespace Mesh.DataPlane.Upstream;

/// <summary>One cause and what the mesh answers to it; see <see cref="LocalReplyTable"/>.</summary>
/// <param name="Cause">In words, for people.</param>
/// <param name="Reply">The reply; what differs from case to case stands in angle brackets.</param>
internal sealed record LocalReplyRow(string Cause, LocalReply Reply)
{
    /// <summary>The status is another one where the configuration says so.</summary>
    public string? Configured { get; init; }

    /// <summary>The feature that answers so is still to come.</summary>
    public bool IsNotYet { get; init; }
}

/// <summary>A response of an upstream that the mesh has something to say of.</summary>
internal sealed record FlaggedResponseRow(string Cause, string Flags);

/// <summary>A failure that no HTTP response can tell: an exception, whatever the client wants of local replies.</summary>
/// <param name="Cause">In words, for people.</param>
/// <param name="Exception">What is thrown.</param>
/// <param name="Error">Its kind, where it has one.</param>
/// <param name="Flags">Envoy's response flags.</param>
/// <param name="Details">Envoy's response-code details.</param>
internal sealed record FailureRow(string Cause, Type Exception, HttpRequestError? Error, string Flags, string Details);
