using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Headers;
using Mesh.Xds.Grpc;
using Opentelemetry.Proto.Collector.Trace.V1;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Sends spans as OTLP over gRPC, to a cluster of the mesh.</summary>
internal sealed class OtlpGrpcSender(Func<IClusterCalls?> calls, ClusterTarget target, HeaderAddition[] headers, TimeProvider time, OtlpSpans spansOf) : SpanSender
{
    private static readonly GrpcMethod<ExportTraceServiceRequest, ExportTraceServiceResponse> Export = new(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export", ExportTraceServiceResponse.Parser);

    public override string Address => $"cluster {target.Cluster}";

    public override IDisposable? Begin() => HeldCluster.Hold(calls(), target);

    public override async Task<int> SendAsync(IReadOnlyList<FinishedSpan> spans, CancellationToken cancellationToken)
    {
        var way = calls() ?? throw new InvalidOperationException("this process has no engine that could ask clusters");
        var metadata = headers.Length == 0 ? null : new GrpcMetadata();
        foreach (var header in headers)
        {
            if (header.Value.Render(new FormatContext(time)) is { Length: > 0 } value)
            {
                metadata!.Add(header.Name.Value, value);
            }
        }

        var answer = await way.UnaryAsync(target, Export, spansOf.Request(spans), metadata, cancellationToken).ConfigureAwait(false);
        return (int)Math.Clamp(answer.PartialSuccess?.RejectedSpans ?? 0, 0, spans.Count);
    }
}
