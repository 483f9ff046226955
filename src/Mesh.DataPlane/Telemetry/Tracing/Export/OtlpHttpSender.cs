using Google.Protobuf;
using Opentelemetry.Proto.Collector.Trace.V1;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Sends spans as OTLP over HTTP, in protobuf.</summary>
internal sealed class OtlpHttpSender(ISpanPost post, OtlpSpans spansOf) : SpanSender
{
    public override string Address => post.Address;

    public override IDisposable? Begin() => post.Begin();

    public override async Task<int> SendAsync(IReadOnlyList<FinishedSpan> spans, CancellationToken cancellationToken)
    {
        var answer = await post.PostAsync(spansOf.Request(spans).ToByteArray(), "application/x-protobuf", cancellationToken).ConfigureAwait(false);
        return Rejected(answer, spans.Count);
    }

    // Collectors may answer with JSON, or with nothing: only what is the message says that spans were refused.
    private static int Rejected(byte[] answer, int sent)
    {
        try
        {
            return (int)Math.Clamp(ExportTraceServiceResponse.Parser.ParseFrom(answer).PartialSuccess?.RejectedSpans ?? 0, 0, sent);
        }
        catch (InvalidProtocolBufferException)
        {
            return 0;
        }
    }
}
