using System.Globalization;
using System.Runtime.InteropServices;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// Envoy's <c>x-request-id</c>: a random UUID in whose place for the version stands why the request is traced, and whose first digits decide by
/// chance, so that everyone who sees the id decides alike.
/// </summary>
internal static class RequestIds
{
    public const string Header = "x-request-id";

    /// <summary>Ids of others may be anything; one that is longer is no id.</summary>
    public const int MaxLength = 256;

    private const int UuidLength = 36;
    private const int ReasonAt = 14;

    public static HeaderName Name { get; } = new(Header);

    /// <summary>A new id (RFC 9562: version 4, variant 1), which nobody traces yet.</summary>
    public static string Create(IRandomSource random)
    {
        Span<ulong> bits = [random.NextUInt64(), random.NextUInt64()];
        var bytes = MemoryMarshal.AsBytes(bits);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D");
    }

    /// <summary>What the id says; an id that is none of ours says nothing.</summary>
    public static TraceReason ReasonOf(string? id)
        => id is not { Length: UuidLength }
            ? TraceReason.NotTraceable
            : id[ReasonAt] switch
            {
                '9' => TraceReason.ServiceForced,
                'a' => TraceReason.Sampling,
                'b' => TraceReason.ClientForced,
                _ => TraceReason.NotTraceable,
            };

    /// <summary>The id that says so; the same when it does already, or has no place for it.</summary>
    public static string With(string id, TraceReason reason)
    {
        if (id.Length != UuidLength || ReasonOf(id) == reason)
        {
            return id;
        }

        var digit = reason switch
        {
            TraceReason.ServiceForced => '9',
            TraceReason.Sampling => 'a',
            TraceReason.ClientForced => 'b',
            _ => '4',
        };
        return string.Create(UuidLength, (id, digit), static (text, state) =>
        {
            state.id.CopyTo(text);
            text[ReasonAt] = state.digit;
        });
    }

    /// <summary>The number that chance is decided by; an id that does not begin with eight hexadecimal digits has none.</summary>
    public static bool TryGetNumber(string? id, out uint number)
    {
        number = 0;
        return id is { Length: >= 8 } && uint.TryParse(id.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }
}
