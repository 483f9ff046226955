using Google.Protobuf;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Opentelemetry.Proto.Collector.Trace.V1;
using Opentelemetry.Proto.Trace.V1;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

public sealed class OtlpHttpSenderTests
{
    [Fact]
    public async Task A_span_is_as_OTLP_has_it()
    {
        var post = new RecordingPost();

        await new OtlpHttpSender(post, new OtlpSpans("productpage.default", null)).SendAsync([Spans.Of("GET", isError: true)], default);

        post.ContentType.ShouldBe("application/x-protobuf");
        var resource = ExportTraceServiceRequest.Parser.ParseFrom(post.Body).ResourceSpans.Single();
        resource.Resource.Attributes.ShouldContain(a => a.Key == "service.name" && a.Value.StringValue == "productpage.default");
        resource.Resource.Attributes.ShouldContain(a => a.Key == "telemetry.sdk.language" && a.Value.StringValue == "dotnet");
        var scope = resource.ScopeSpans.Single();
        scope.Scope.Name.ShouldBe("Mesh");
        var span = scope.Spans.Single();
        Convert.ToHexStringLower(span.TraceId.Span).ShouldBe("463ac35c9f6413ad48485a3953bb6124");
        Convert.ToHexStringLower(span.SpanId.Span).ShouldBe("0020000000000001");
        Convert.ToHexStringLower(span.ParentSpanId.Span).ShouldBe("00f067aa0ba902b7");
        (span.Name, span.TraceState, span.Kind).ShouldBe(("GET", "a=b", Span.Types.SpanKind.Client));
        (span.StartTimeUnixNano, span.EndTimeUnixNano).ShouldBe((1_000_000_000ul, 1_005_000_000ul));
        span.Status.Code.ShouldBe(Status.Types.StatusCode.Error);
        span.Attributes.ShouldContain(a => a.Key == "http.response.status_code" && a.Value.IntValue == 503);
        span.Attributes.ShouldNotContain(a => a.Key == "nothing");
        span.Events.Single().Attributes.ShouldContain(a => a.Key == "flag" && a.Value.BoolValue);
    }

    [Fact]
    public async Task What_the_provider_says_of_the_resource_is_said()
    {
        var post = new RecordingPost();
        var provider = new TraceProvider.OpenTelemetry(ByteString.Empty)
        {
            Target = new ClusterTarget("c", TimeSpan.Zero),
            Resource = new Dictionary<string, string> { ["team"] = "books" },
            NamesService = false,
            NamesLibrary = false,
        };

        await new OtlpHttpSender(post, new OtlpSpans("x", provider)).SendAsync([Spans.Of()], default);

        ExportTraceServiceRequest.Parser.ParseFrom(post.Body).ResourceSpans.Single().Resource.Attributes.Select(a => (a.Key, a.Value.StringValue)).ShouldBe([("team", "books")]);
    }

    [Fact]
    public async Task Spans_that_the_collector_refuses_are_counted()
    {
        var answer = new ExportTraceServiceResponse { PartialSuccess = new() { RejectedSpans = 1 } }.ToByteArray();

        (await new OtlpHttpSender(new RecordingPost(answer), new OtlpSpans("x", null)).SendAsync([Spans.Of(), Spans.Of()], default)).ShouldBe(1);
        (await new OtlpHttpSender(new RecordingPost("{}"u8.ToArray()), new OtlpSpans("x", null)).SendAsync([Spans.Of()], default)).ShouldBe(0);
    }
}
