namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Brings batches of spans to one collector, in its own words.</summary>
internal abstract class SpanSender
{
    /// <summary>Where it sends, for people.</summary>
    public abstract string Address { get; }

    /// <summary>Takes up what sending needs, until it is disposed.</summary>
    public virtual IDisposable? Begin() => null;

    /// <summary>Sends spans.</summary>
    /// <returns>How many of them the collector has refused.</returns>
    /// <exception cref="Exception">None of them has arrived.</exception>
    public abstract Task<int> SendAsync(IReadOnlyList<FinishedSpan> spans, CancellationToken cancellationToken);
}
