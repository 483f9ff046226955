using System.Buffers.Binary;
using System.Diagnostics;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>A sampler of Envoy's OpenTelemetry tracer: it has the last word on which traces are recorded.</summary>
internal abstract record TraceSampler
{
    public abstract bool Samples(in ActivityContext parent, ActivityTraceId traceId);

    /// <summary><c>AlwaysOnSamplerConfig</c>.</summary>
    public sealed record AlwaysOn : TraceSampler
    {
        public override bool Samples(in ActivityContext parent, ActivityTraceId traceId) => true;
    }

    /// <summary><c>ParentBasedSamplerConfig</c>: as the caller does; without one, as another sampler says.</summary>
    public sealed record ParentBased(TraceSampler Root) : TraceSampler
    {
        public override bool Samples(in ActivityContext parent, ActivityTraceId traceId)
            => parent.TraceId != default ? (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0 : Root.Samples(parent, traceId);
    }

    /// <summary><c>TraceIdRatioBasedSamplerConfig</c>: a share, by the trace's own id, so that everybody decides alike.</summary>
    public sealed record TraceIdRatio(Fraction Share) : TraceSampler
    {
        public override bool Samples(in ActivityContext parent, ActivityTraceId traceId)
        {
            Span<byte> bytes = stackalloc byte[16];
            traceId.CopyTo(bytes);
            return Share.Numerator >= Share.Denominator || Share.Includes(BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        }
    }
}
