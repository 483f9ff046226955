using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// Reads the trace that a request's headers tell of: W3C's first, then B3 in one header, then in several. What is malformed or too long is as if it
/// were not there.
/// </summary>
internal static class TraceHeaders
{
    public const string Parent = "traceparent";
    public const string State = "tracestate";
    public const string Baggage = "baggage";

    // W3C asks that 512 characters are passed on, and lets longer ones be dropped.
    public const int MaxStateLength = 2048;

    // version-trace-span-flags; later versions may go on.
    private const int ParentLength = 55;
    private const int MaxParentLength = 256;
    private const int TraceIdAt = 3;
    private const int SpanIdAt = 36;
    private const int FlagsAt = 53;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    private static readonly HeaderName ParentName = new(Parent);
    private static readonly HeaderName StateName = new(State);
    private static readonly HeaderName SingleName = new(B3Context.SingleHeader);
    private static readonly HeaderName TraceIdName = new(B3Context.TraceIdHeader);
    private static readonly HeaderName SpanIdName = new(B3Context.SpanIdHeader);
    private static readonly HeaderName SampledName = new(B3Context.SampledHeader);
    private static readonly HeaderName FlagsName = new(B3Context.FlagsHeader);

    /// <summary>Reads the trace.</summary>
    /// <param name="reader">How headers are read.</param>
    /// <param name="carrier">The message.</param>
    /// <param name="context">The caller's span; default where there is none.</param>
    /// <param name="sampled">Whether the caller traces; <see langword="null"/> where it does not say.</param>
    /// <param name="formats">In which headers it was written, whatever they said.</param>
    /// <returns>Whether there is a caller's span.</returns>
    public static bool TryRead(HeaderReader reader, object carrier, out ActivityContext context, out bool? sampled, out ContextFormats formats)
    {
        context = default;
        sampled = null;
        formats = ContextFormats.Process;
        if (reader.TryGet(carrier, ParentName, out var parent))
        {
            formats |= ContextFormats.W3C;
            if (TryParse(parent, reader, carrier, out context))
            {
                sampled = (context.TraceFlags & ActivityTraceFlags.Recorded) != 0;
            }
        }

        B3Context b3 = default;
        if (reader.TryGet(carrier, SingleName, out var single))
        {
            formats |= ContextFormats.B3Single;
            B3Context.TryParse(single, out b3);
        }

        var several = reader.TryGet(carrier, TraceIdName, out var traceId);
        if (reader.TryGet(carrier, SampledName, out var decision) | reader.TryGet(carrier, FlagsName, out var flags) | several)
        {
            formats |= ContextFormats.B3;
            if (!b3.HasIds)
            {
                reader.TryGet(carrier, SpanIdName, out var spanId);
                b3 = B3Context.TryParse(traceId, spanId, decision, flags, out var other) && (other.HasIds || b3.Sampled is null) ? other : b3;
            }
        }

        if (context != default)
        {
            return true;
        }

        sampled = b3.Sampled;
        if (!b3.HasIds)
        {
            return false;
        }

        context = b3.Context(StateOf(reader, carrier));
        return true;
    }

    /// <summary>The same where nobody asks in which headers else it was written: what W3C's says settles it.</summary>
    public static bool TryRead(HeaderReader reader, object carrier, out ActivityContext context, out bool? sampled)
    {
        if (reader.TryGet(carrier, ParentName, out var parent) && TryParse(parent, reader, carrier, out context))
        {
            sampled = (context.TraceFlags & ActivityTraceFlags.Recorded) != 0;
            return true;
        }

        return TryRead(reader, carrier, out context, out sampled, out _);
    }

    /// <summary>A trace that begins here and that nobody records, as W3C writes it.</summary>
    public static string Unrecorded(IRandomSource random)
        => string.Create(ParentLength, random, static (text, random) =>
        {
            Span<ulong> ids = [random.NextUInt64(), random.NextUInt64(), random.NextUInt64()];

            // Of zeros alone there is none.
            var bytes = MemoryMarshal.AsBytes(ids);
            bytes[15] |= (byte)(ids[0] == 0 && ids[1] == 0 ? 1 : 0);
            bytes[23] |= (byte)(ids[2] == 0 ? 1 : 0);
            "00-".CopyTo(text);
            Convert.TryToHexStringLower(bytes[..16], text[TraceIdAt..], out _);
            text[SpanIdAt - 1] = '-';
            Convert.TryToHexStringLower(bytes[16..], text[SpanIdAt..], out _);
            "-00".CopyTo(text[(FlagsAt - 1)..]);
        });

    /// <summary>The trace's id in what W3C writes.</summary>
    public static ReadOnlySpan<char> TraceIdIn(string text) => text.AsSpan(TraceIdAt, 32);

    /// <summary>The span's id in what W3C writes.</summary>
    public static ReadOnlySpan<char> SpanIdIn(string text) => text.AsSpan(SpanIdAt, 16);

    /// <summary>As W3C writes it.</summary>
    public static string Text(in ActivityContext context)
        => string.Create(ParentLength, context, static (text, context) =>
        {
            "00-".CopyTo(text);
            context.TraceId.ToHexString().CopyTo(text[TraceIdAt..]);
            text[SpanIdAt - 1] = '-';
            context.SpanId.ToHexString().CopyTo(text[SpanIdAt..]);
            text[FlagsAt - 1] = '-';
            text[FlagsAt] = '0';
            text[FlagsAt + 1] = (context.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? '1' : '0';
        });

    private static bool TryParse(ReadOnlySpan<char> text, HeaderReader reader, object carrier, out ActivityContext context)
    {
        context = default;
        if (text.Length is < ParentLength or > MaxParentLength
            || text[..2] is "ff"
            || (text.Length > ParentLength && (text[..2] is "00" || text[ParentLength] != '-'))
            || text[TraceIdAt - 1] != '-' || text[SpanIdAt - 1] != '-' || text[FlagsAt - 1] != '-')
        {
            return false;
        }

        var traceId = text.Slice(TraceIdAt, 32);
        var spanId = text.Slice(SpanIdAt, 16);
        var flags = text.Slice(FlagsAt, 2);
        if (text[..2].ContainsAnyExcept(Hex) || traceId.ContainsAnyExcept(Hex) || spanId.ContainsAnyExcept(Hex) || flags.ContainsAnyExcept(Hex)
            || !traceId.ContainsAnyExcept('0') || !spanId.ContainsAnyExcept('0'))
        {
            return false;
        }

        // Of bytes, because the ids' own readers would look at each digit once more.
        Span<byte> bytes = stackalloc byte[16 + 8];
        Convert.FromHexString(traceId, bytes[..16], out _, out _);
        Convert.FromHexString(spanId, bytes[16..], out _, out _);
        context = new ActivityContext(
            ActivityTraceId.CreateFromBytes(bytes[..16]),
            ActivitySpanId.CreateFromBytes(bytes[16..]),
            (ActivityTraceFlags)byte.Parse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            StateOf(reader, carrier),
            isRemote: true);
        return true;
    }

    private static string? StateOf(HeaderReader reader, object carrier)
        => reader.TryGet(carrier, StateName, out var state) && state.Length is > 0 and <= MaxStateLength && !state.ContainsAnyExceptInRange(' ', '~') ? state.ToString() : null;
}
