using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>A trace as Zipkin's B3 headers tell it; all of them, or the decision alone.</summary>
/// <param name="TraceId">128 bits; one of 64 stands at the end of as many zeros.</param>
/// <param name="SpanId">The caller's span.</param>
/// <param name="Sampled">The decision; <see langword="null"/> when it is left to whoever reads it.</param>
internal readonly record struct B3Context(ActivityTraceId TraceId, ActivitySpanId SpanId, bool? Sampled)
{
    public const string SingleHeader = "b3";
    public const string TraceIdHeader = "x-b3-traceid";
    public const string SpanIdHeader = "x-b3-spanid";
    public const string ParentSpanIdHeader = "x-b3-parentspanid";
    public const string SampledHeader = "x-b3-sampled";
    public const string FlagsHeader = "x-b3-flags";

    private const int SpanIdLength = 16;
    private const int ShortTraceIdLength = 16;
    private const int TraceIdLength = 32;

    // trace-span-sampled-parent, and no more.
    private const int MaxSingleLength = TraceIdLength + 1 + SpanIdLength + 2 + 1 + SpanIdLength;

    /// <summary>It tells of a trace, not of a decision alone.</summary>
    public bool HasIds => TraceId != default;

    public ActivityContext Context(string? state) => new(TraceId, SpanId, Sampled == true ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None, state, isRemote: true);

    /// <summary>Reads the header <c>b3</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> value, out B3Context context)
    {
        context = default;
        if (value.Length is 0 or > MaxSingleLength)
        {
            return false;
        }

        bool? sampled;
        if (value.Length == 1)
        {
            if (!TryParseDecision(value, out sampled))
            {
                return false;
            }

            context = new B3Context(default, default, sampled);
            return true;
        }

        var dash = value.IndexOf('-');
        if (dash < 0 || !TryParseTraceId(value[..dash], out var traceId))
        {
            return false;
        }

        value = value[(dash + 1)..];
        if (value.Length < SpanIdLength || !TryParseSpanId(value[..SpanIdLength], out var spanId))
        {
            return false;
        }

        value = value[SpanIdLength..];
        sampled = null;
        if (value.Length > 0)
        {
            if (value.Length < 2 || value[0] != '-' || !TryParseDecision(value.Slice(1, 1), out sampled))
            {
                return false;
            }

            value = value[2..];
        }

        if (value.Length > 0 && (value[0] != '-' || !TryParseSpanId(value[1..], out _)))
        {
            return false;
        }

        context = new B3Context(traceId, spanId, sampled);
        return true;
    }

    /// <summary>Reads the headers <c>x-b3-*</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> traceId, ReadOnlySpan<char> spanId, ReadOnlySpan<char> sampled, ReadOnlySpan<char> flags, out B3Context context)
    {
        context = default;
        bool? decision = null;
        if (flags is "1")
        {
            decision = true;
        }
        else if (sampled.Length > 0 && !TryParseDecision(sampled, out decision))
        {
            return false;
        }

        if (traceId.IsEmpty && spanId.IsEmpty)
        {
            context = new B3Context(default, default, decision);
            return decision is not null;
        }

        if (!TryParseTraceId(traceId, out var trace) || !TryParseSpanId(spanId, out var span))
        {
            return false;
        }

        context = new B3Context(trace, span, decision);
        return true;
    }

    /// <summary>The id as B3 writes it: 64 bits where that is all there is.</summary>
    public static string Text(ActivityTraceId id)
    {
        var text = id.ToHexString();
        return text.AsSpan(0, TraceIdLength - ShortTraceIdLength).ContainsAnyExcept('0') ? text : text[(TraceIdLength - ShortTraceIdLength)..];
    }

    // d is for debug, which is sampled whatever anybody says; true and false are of before the specification.
    private static bool TryParseDecision(ReadOnlySpan<char> value, [NotNullWhen(true)] out bool? sampled)
    {
        sampled = value switch
        {
            "1" or "d" or "true" => true,
            "0" or "false" => false,
            _ => null,
        };
        return sampled is not null;
    }

    private static bool TryParseTraceId(ReadOnlySpan<char> text, out ActivityTraceId id)
    {
        id = default;
        Span<char> digits = stackalloc char[TraceIdLength];
        digits.Fill('0');
        if (text.Length is not (ShortTraceIdLength or TraceIdLength) || !TryLower(text, digits[^text.Length..]) || !digits.ContainsAnyExcept('0'))
        {
            return false;
        }

        id = ActivityTraceId.CreateFromString(digits);
        return true;
    }

    private static bool TryParseSpanId(ReadOnlySpan<char> text, out ActivitySpanId id)
    {
        id = default;
        Span<char> digits = stackalloc char[SpanIdLength];
        if (text.Length != SpanIdLength || !TryLower(text, digits) || !digits.ContainsAnyExcept('0'))
        {
            return false;
        }

        id = ActivitySpanId.CreateFromString(digits);
        return true;
    }

    private static bool TryLower(ReadOnlySpan<char> text, Span<char> digits)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiHexDigit(text[i]))
            {
                return false;
            }

            digits[i] = (char)(text[i] | 0x20);
        }

        return true;
    }
}
