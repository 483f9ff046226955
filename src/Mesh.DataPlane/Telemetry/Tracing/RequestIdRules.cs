namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>What a listener does with <c>x-request-id</c>.</summary>
/// <param name="Generates">A request without one gets one (<c>generate_request_id</c>).</param>
/// <param name="TellsReason">It tells why the request is traced (<c>pack_trace_reason</c>).</param>
/// <param name="DecidesSampling">It decides whether the request is traced (<c>use_request_id_for_trace_sampling</c>); otherwise all are, up to the tracer's own sampler.</param>
internal readonly record struct RequestIdRules(bool Generates, bool TellsReason, bool DecidesSampling)
{
    /// <summary>Envoy's.</summary>
    public static RequestIdRules Default { get; } = new(true, true, true);
}
