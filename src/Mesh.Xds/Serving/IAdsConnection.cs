namespace Mesh.Xds.Serving;

/// <summary>One open stream as the server sees it.</summary>
internal interface IAdsConnection
{
    AdsConnectionInfo Info { get; }

    AdsConnectionStatus Status { get; }

    /// <summary>Every resource that it has subscribed to or was sent.</summary>
    IReadOnlyList<AdsResourceStatus> Resources { get; }

    /// <summary>Marks what may have changed. Never blocks.</summary>
    void Push(AdsChange change, long epoch);

    /// <summary>Completes when the client has answered all that follows from the push, or the stream has ended.</summary>
    Task WhenSettledAsync(long epoch, CancellationToken cancellationToken);
}
