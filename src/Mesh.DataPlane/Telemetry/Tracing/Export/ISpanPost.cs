namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>The road to a collector that speaks HTTP.</summary>
internal interface ISpanPost
{
    /// <summary>Where it leads, for people.</summary>
    string Address { get; }

    /// <summary>Takes up what sending needs, until it is disposed.</summary>
    IDisposable? Begin();

    /// <summary>Posts a batch, and reads the answer.</summary>
    /// <exception cref="Exception">There is none, or it is no success.</exception>
    Task<byte[]> PostAsync(byte[] body, string contentType, CancellationToken cancellationToken);
}
