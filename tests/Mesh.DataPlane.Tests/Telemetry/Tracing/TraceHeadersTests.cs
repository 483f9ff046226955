using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class TraceHeadersTests
{
    private const string Trace = "463ac35c9f6413ad48485a3953bb6124";
    private const string Other = "0af7651916cd43dd8448eb211c80319c";
    private const string Span = "0020000000000001";

    [Fact]
    public void W3C_goes_before_B3()
    {
        var (context, sampled, formats) = Read(("traceparent", $"00-{Trace}-{Span}-01"), ("tracestate", "a=b"), ("b3", $"{Other}-{Span}-0"));

        context.TraceId.ToHexString().ShouldBe(Trace);
        context.TraceState.ShouldBe("a=b");
        context.IsRemote.ShouldBeTrue();
        sampled.ShouldBe(true);
        formats.ShouldBe(ContextFormats.W3C | ContextFormats.B3Single);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-0-0-0")]
    [InlineData($"00-{Trace}-{Span}-01-more")]
    [InlineData($"ff-{Trace}-{Span}-01")]
    [InlineData("00-00000000000000000000000000000000-0020000000000001-01")]
    public void A_malformed_traceparent_leaves_the_word_to_B3(string parent)
    {
        var (context, sampled, _) = Read(("traceparent", parent), ("x-b3-traceid", Other), ("x-b3-spanid", Span), ("x-b3-sampled", "0"));

        context.TraceId.ToHexString().ShouldBe(Other);
        sampled.ShouldBe(false);
    }

    [Fact]
    public void One_header_of_B3_goes_before_several()
    {
        var (context, sampled, formats) = Read(("b3", $"{Trace}-{Span}-0"), ("x-b3-traceid", Other), ("x-b3-spanid", Span), ("x-b3-sampled", "1"));

        context.TraceId.ToHexString().ShouldBe(Trace);
        sampled.ShouldBe(false);
        formats.ShouldBe(ContextFormats.B3 | ContextFormats.B3Single);
    }

    [Fact]
    public void A_decision_alone_is_no_trace()
    {
        var (context, sampled, _) = Read(("b3", "0"));

        context.ShouldBe(default);
        sampled.ShouldBe(false);
    }

    [Fact]
    public void A_state_without_bounds_is_dropped_and_the_trace_kept()
    {
        var (context, _, _) = Read(("traceparent", $"00-{Trace}-{Span}-01"), ("tracestate", "a=" + new string('b', 4096)));

        context.TraceId.ToHexString().ShouldBe(Trace);
        context.TraceState.ShouldBeNull();
    }

    [Fact]
    public void Writes_what_it_reads()
    {
        var text = $"00-{Trace}-{Span}-01";
        ActivityContext.TryParse(text, null, out var context).ShouldBeTrue();

        TraceHeaders.Text(context).ShouldBe(text);
    }

    [Theory]
    [InlineData($"01-{Trace}-{Span}-01")]
    [InlineData($"cc-{Trace}-{Span}-01-what.comes.later")]
    public void Later_versions_of_traceparent_are_read_as_far_as_they_are_known(string parent)
    {
        var (context, sampled, _) = Read(("traceparent", parent));

        (context.TraceId.ToHexString(), context.SpanId.ToHexString(), sampled).ShouldBe((Trace, Span, true));
    }

    [Fact]
    public void Reads_traceparent_as_NET_does()
    {
        var random = new Random(20_261_122);
        var read = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var text = $"00-{Trace}-{Span}-0{i % 4}".ToCharArray();
            for (var changes = random.Next(3); changes > 0; changes--)
            {
                var at = random.Next(text.Length);
                text[at] = text[at] == '-' ? '-' : "0123456789abcdefABg-x"[random.Next(21)];
            }

            var parent = new string(text);
            var (context, _, _) = Read(("traceparent", parent));

            ActivityContext.TryParse(parent, null, isRemote: true, out var expected);
            context.ShouldBe(expected, parent);
            read += context == default ? 0 : 1;
        }

        read.ShouldBeInRange(1_000, 4_999);
    }

    [Fact]
    public void Whoever_only_wants_the_trace_gets_the_same()
    {
        foreach (var headers in (KeyValuePair<string, string>[][])[
            [new("traceparent", $"00-{Trace}-{Span}-00"), new("b3", $"{Other}-{Span}-1")],
            [new("traceparent", "malformed"), new("b3", $"{Other}-{Span}-1")],
            [new("b3", "0")],
            []])
        {
            using var request = new HttpRequestMessage();
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            var all = TraceHeaders.TryRead(HttpRequestHeaderReader.Instance, request, out var expected, out var told, out _);

            TraceHeaders.TryRead(HttpRequestHeaderReader.Instance, request, out var context, out var sampled).ShouldBe(all);
            (context, sampled).ShouldBe((expected, told));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0x0123456789abcdef)]
    public void What_nobody_records_has_a_trace_and_a_span_all_the_same(ulong bits)
    {
        var text = TraceHeaders.Unrecorded(new Fixed(bits));

        ActivityContext.TryParse(text, null, out var context).ShouldBeTrue(text);
        context.TraceFlags.ShouldBe(ActivityTraceFlags.None);
        TraceHeaders.TraceIdIn(text).ToString().ShouldBe(context.TraceId.ToHexString());
        TraceHeaders.SpanIdIn(text).ToString().ShouldBe(context.SpanId.ToHexString());
        TraceHeaders.Text(context).ShouldBe(text);
    }

    [Fact]
    public void Random_headers_are_read_without_harm()
    {
        var random = new Random(20_261_121);
        for (var i = 0; i < 2_000; i++)
        {
            string Text() => new([.. Enumerable.Range(0, random.Next(0, 120)).Select(_ => "0123456789abcdef-d\u00fcx, "[random.Next(21)])]);
            var (context, _, _) = Read(("traceparent", Text()), ("b3", Text()), ("x-b3-traceid", Text()), ("x-b3-spanid", Text()), ("x-b3-sampled", Text()), ("x-b3-flags", Text()));

            (context == default || (context.TraceId != default && context.SpanId != default)).ShouldBeTrue();
        }
    }

    private static (ActivityContext Context, bool? Sampled, ContextFormats Formats) Read(params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage();
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        TraceHeaders.TryRead(HttpRequestHeaderReader.Instance, request, out var context, out var sampled, out var formats).ShouldBe(context != default);
        return (context, sampled, formats);
    }

    private sealed class Fixed(ulong bits) : IRandomSource
    {
        public ulong NextUInt64() => bits;
    }
}
