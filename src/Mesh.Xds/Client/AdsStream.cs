namespace Mesh.Xds.Client;

/// <summary>
/// One ADS stream in one variant of the protocol. What it has told the server lives here and dies with it; building requests and reading
/// responses touch no transport.
/// </summary>
internal abstract class AdsStream : IAsyncDisposable
{
    /// <summary>The status code that Istio's agent reports ill health with.</summary>
    protected const int HealthErrorCode = (int)Grpc.StatusCode.Internal;

    /// <summary>The status code of a NACK.</summary>
    protected const int NackCode = (int)Grpc.StatusCode.InvalidArgument;

    /// <summary>Opens the stream on the transport.</summary>
    public abstract Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>The next response, or <see langword="null"/> when the server ended the stream with OK.</summary>
    public abstract Task<AdsUpdate?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Makes the request that tells the server what it does not know yet of a kind: subscriptions, and the answer to a response.</summary>
    /// <returns>The request for <see cref="WriteAsync"/>, or <see langword="null"/> if there is nothing to say.</returns>
    public abstract object? BuildRequest(ResourceTable table, AdsAck? ack);

    /// <summary>Makes the readiness report as Istio's agent sends it: the type URL alone is "healthy", with an error it is not.</summary>
    public abstract object BuildHealthReport(bool healthy, string message);

    public abstract Task WriteAsync(object request, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
