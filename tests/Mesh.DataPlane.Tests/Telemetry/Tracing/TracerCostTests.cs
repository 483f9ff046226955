using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

/// <summary>What requests pay for traces that nobody wants.</summary>
public sealed class TracerCostTests
{
    // The text of an id, which is the one thing that is made.
    private const int Id = 96;

    // That of a traceparent.
    private const int Parent = 136;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, Id)]
    public void Without_a_listener_a_collector_and_a_trace_there_is_no_cost_but_the_id(bool makesIds, int bytes)
    {
        using var tracing = new MeshTracing(TimeProvider.System);
        CostOf(tracing, makesIds).ShouldBeLessThanOrEqualTo(1000 * (bytes == 0 ? 0 : bytes + 128));
    }

    [Fact]
    public void What_nobody_records_costs_the_text_that_says_so()
    {
        using var tracing = new MeshTracing(TimeProvider.System, new MeshTracingOptions { OtlpEndpoint = new Uri("http://127.0.0.1:4318/v1/traces"), Sampling = 0 });
        CostOf(tracing, makesIds: false).ShouldBeLessThanOrEqualTo(1000 * Parent);
    }

    private static long CostOf(MeshTracing tracing, bool makesIds)
    {
        var tracer = tracing.TracerOf(TracingSettings.Default with { RequestIds = RequestIdRules.Default with { Generates = makesIds } }, Reporter.Source)!;
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var record = RequestRecord.Rent(new RequestSignals(Reporter.Source, [], tracer, TimeProvider.System));
        (record.Request, record.RequestHeaders, record.Method) = (request, HttpRequestHeaderReader.Instance, "GET");
        var input = AttemptInput.Rent();
        input.Request = request;

        // The message keeps a header's place; what is looked at is the tracer's own.
        tracer.OnBegin(record);
        tracer.Inject(record, input);
        input.Injected!.Undo(request);

        return Allocations.Of(_ =>
        {
            tracer.OnBegin(record);
            tracer.Inject(record, input);
            input.Injected!.Undo(request);
            tracer.OnEnd(record);
        });
    }
}
