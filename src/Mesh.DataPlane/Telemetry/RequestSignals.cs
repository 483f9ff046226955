namespace Mesh.DataPlane.Telemetry;

/// <summary>What becomes of the requests of one listener: immutable, and another one with each version of the listener.</summary>
/// <param name="Reporter">Which door's.</param>
/// <param name="Sinks">Who is told of each, in their order.</param>
/// <param name="Tracer">Who makes spans; <see langword="null"/> where nobody does.</param>
/// <param name="Time">The clock.</param>
internal sealed record RequestSignals(Reporter Reporter, RequestSink[] Sinks, RequestTracer? Tracer, TimeProvider Time)
{
    /// <summary>Somebody wants to know what filters have left.</summary>
    public bool ReadsMetadata { get; } = Array.Exists(Sinks, s => s.ReadsMetadata);

    /// <summary>A record of a request that begins now; <see langword="null"/> when nobody wants to know of it.</summary>
    public RequestRecord? Begin() => Sinks.Length == 0 && Tracer is null ? null : RequestRecord.Rent(this);
}
