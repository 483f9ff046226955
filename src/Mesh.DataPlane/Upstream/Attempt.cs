namespace Mesh.DataPlane.Upstream;

/// <summary>How one attempt came out: a response that <see cref="Upstream"/> still takes part in, or a reply that tells the failure.</summary>
internal readonly struct Attempt : IDisposable
{
    public AttemptInput Input { get; init; }

    /// <summary>Where it went.</summary>
    public ref readonly Decision Decision => ref Input.Decision;

    public HttpResponseMessage? Response { get; init; }

    public UpstreamRequest? Upstream { get; init; }

    public LocalReply? Reply { get; init; }

    public AttemptFailure Failure { get; init; }

    /// <summary>A hedged attempt that failed and holds nothing any more, because another one has taken its place.</summary>
    public bool IsDropped { get; init; }

    /// <summary>Where a failed attempt left the clocks that span all attempts.</summary>
    public AttemptClocks Clocks { get; init; }

    /// <summary>Ends an attempt whose response nobody will see.</summary>
    public void Dispose()
    {
        Response?.Dispose();
        Upstream?.End();
    }
}
