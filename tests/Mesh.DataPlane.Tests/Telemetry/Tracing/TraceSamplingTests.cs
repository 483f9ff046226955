using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;
using Mesh.Testing;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class TraceSamplingTests
{
    // 0x64 = 100 of 10,000: the first that 1 % leaves out.
    private const string First = "00000063-0000-4000-8000-000000000000";
    private const string Beyond = "00000064-0000-4000-8000-000000000000";

    private static readonly TraceSampling OnePercent = new(TraceSampling.All, 100, TraceSampling.All);

    [Fact]
    public void Chance_is_in_the_id_and_the_id_tells_the_outcome()
    {
        Decide(OnePercent, First).ShouldBe((TraceReason.Sampling, "00000063-0000-a000-8000-000000000000"));
        Decide(OnePercent, Beyond).ShouldBe((TraceReason.NotTraceable, Beyond));
    }

    [Fact]
    public void What_an_id_says_already_counts()
        => Decide(new(0, 0, TraceSampling.All), "00000064-0000-9000-8000-000000000000").Reason.ShouldBe(TraceReason.ServiceForced);

    [Fact]
    public void Services_force_a_trace()
        => Decide(new(0, 0, TraceSampling.All), Beyond, ("x-envoy-force-trace", "true")).ShouldBe((TraceReason.ServiceForced, "00000064-0000-9000-8000-000000000000"));

    [Fact]
    public void Clients_ask_for_a_trace_and_get_it_by_client_sampling()
    {
        Decide(new(TraceSampling.All, 0, TraceSampling.All), Beyond, ("x-client-trace-id", "1")).ShouldBe((TraceReason.ClientForced, "00000064-0000-b000-8000-000000000000"));
        Decide(new(0, 0, TraceSampling.All), Beyond, ("x-client-trace-id", "1")).Reason.ShouldBe(TraceReason.NotTraceable);
    }

    [Fact]
    public void Client_sampling_is_a_share()
    {
        var half = new TraceSampling(5_000, 0, TraceSampling.All);
        var random = new SequenceRandomSource(10);

        Enumerable.Range(0, 10).Count(_ => Decide(half, Beyond, random, ("x-client-trace-id", "1")).Reason == TraceReason.ClientForced).ShouldBe(5);
    }

    [Fact]
    public void Overall_sampling_is_the_upper_limit_of_all_reasons()
    {
        var limited = new TraceSampling(TraceSampling.All, TraceSampling.All, 100);

        Decide(limited, First, ("x-envoy-force-trace", "1")).Reason.ShouldBe(TraceReason.ServiceForced);
        Decide(limited, Beyond, ("x-envoy-force-trace", "1")).Reason.ShouldBe(TraceReason.NotTraceable);
        Decide(limited, "00000064-0000-a000-8000-000000000000").ShouldBe((TraceReason.NotTraceable, Beyond));
    }

    [Fact]
    public void An_id_that_decides_nothing_is_not_traced()
        => Decide(TraceSampling.Everything, "order-4711").ShouldBe((TraceReason.NotTraceable, "order-4711"));

    [Fact]
    public void Where_ids_do_not_decide_everything_is_traced()
        => Decide(OnePercent, Beyond, SystemRandomSource.Instance, RequestIdRules.Default with { DecidesSampling = false }).ShouldBe((TraceReason.Sampling, Beyond));

    [Fact]
    public void Where_ids_do_not_tell_they_stay_as_they_are()
        => Decide(OnePercent, First, SystemRandomSource.Instance, RequestIdRules.Default with { TellsReason = false }).ShouldBe((TraceReason.Sampling, First));

    private static (TraceReason Reason, string? Id) Decide(TraceSampling sampling, string id, params (string Name, string Value)[] headers)
        => Decide(sampling, id, SystemRandomSource.Instance, RequestIdRules.Default, headers);

    private static (TraceReason Reason, string? Id) Decide(TraceSampling sampling, string id, IRandomSource random, params (string Name, string Value)[] headers)
        => Decide(sampling, id, random, RequestIdRules.Default, headers);

    private static (TraceReason Reason, string? Id) Decide(TraceSampling sampling, string id, IRandomSource random, RequestIdRules rules, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage();
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var record = RequestRecord.Rent(new RequestSignals(Reporter.Source, [], null, new ManualTimeProvider()));
        (record.Request, record.RequestHeaders, record.RequestId) = (request, HttpRequestHeaderReader.Instance, id);
        return (sampling.Decide(record, rules, random), record.RequestId);
    }
}
