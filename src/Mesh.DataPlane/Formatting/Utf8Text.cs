using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>A text in the making, as it goes to files and over the wire. Used again and again by one thread; its buffer is the pool's.</summary>
internal sealed class Utf8Text
{
    // A line that was longer once shall not hold its buffer for ever.
    private const int MaxKept = 64 * 1024;

    // As in 2026-11-21T06:30:28.
    private const int SecondLength = 19;

    private static readonly SearchValues<char> Unprintable = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7F, 0x21)).Append(0x2028).Append(0x2029).Select(c => (char)c)]);

    private static readonly SearchValues<char> EscapedInJson = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (char)c), '"', '\\']);

    // What nearly every value is made of: ASCII that is written as it stands.
    private static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);
    private static readonly SearchValues<char> PlainInJson = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Except(['"', '\\'])]);

    [ThreadStatic]
    private static Utf8Text? _ofThread;

    private readonly byte[] _secondText = new byte[SecondLength];
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1024);
    private long _second = -1;

    /// <summary>The thread's own, empty; whoever takes it is done with it before anybody else can be.</summary>
    public static Utf8Text OfThread
    {
        get
        {
            var text = _ofThread ??= new Utf8Text();
            text.Clear();
            return text;
        }
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > MaxKept)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = ArrayPool<byte>.Shared.Rent(1024);
        }
    }

    /// <summary>Takes back what stands behind <paramref name="length"/>.</summary>
    public void Cut(int length) => Length = length;

    public void Append(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    public void Append(ReadOnlySpan<byte> value)
    {
        Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
    }

    public void Append(ReadOnlySpan<char> value)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(value.Length));
        Length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(Length));
    }

    public void Append(long value)
    {
        Reserve(20);
        value.TryFormat(_bytes.AsSpan(Length), out var written, provider: CultureInfo.InvariantCulture);
        Length += written;
    }

    public void Append(IPEndPoint value)
    {
        var isV6 = value.AddressFamily == AddressFamily.InterNetworkV6;
        if (isV6)
        {
            Append((byte)'[');
        }

        // As long as one of IPv6 with a zone is.
        Reserve(64);
        value.Address.TryFormat(_bytes.AsSpan(Length), out var written);
        Length += written;
        Append(isV6 ? "]:"u8 : ":"u8);
        Append(value.Port);
    }

    /// <summary>A number with at least so many digits.</summary>
    public void AppendDigits(long value, byte digits)
    {
        Reserve(20);
        Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out var written, new StandardFormat('D', digits));
        Length += written;
    }

    /// <summary>A time in a format of .NET.</summary>
    public void Append(DateTimeOffset value, string format)
    {
        Reserve(64);
        value.TryFormat(_bytes.AsSpan(Length), out var written, format, CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>A time in UTC, as in <c>2026-11-21T06:30:28.250Z</c>. What goes before the milliseconds is kept for those that follow.</summary>
    public void AppendTime(DateTimeOffset value)
    {
        var ticks = value.UtcTicks;
        if (ticks / TimeSpan.TicksPerSecond is var second && second != _second)
        {
            value.UtcDateTime.TryFormat(_secondText, out _, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
            _second = second;
        }

        Reserve(SecondLength + ".000Z".Length);
        var to = _bytes.AsSpan(Length, SecondLength + ".000Z".Length);
        _secondText.CopyTo(to);
        var milliseconds = (int)(ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMillisecond);
        to[SecondLength] = (byte)'.';
        to[SecondLength + 1] = (byte)('0' + (milliseconds / 100));
        to[SecondLength + 2] = (byte)('0' + (milliseconds / 10 % 10));
        to[SecondLength + 3] = (byte)('0' + (milliseconds % 10));
        to[SecondLength + 4] = (byte)'Z';
        Length += to.Length;
    }

    /// <summary>A value that may come from anybody, for a line of text: what would end the line or steer a terminal is written as <c>\xNN</c>.</summary>
    public void AppendPrintable(ReadOnlySpan<char> value)
    {
        if (!value.ContainsAnyExcept(Plain))
        {
            AppendAscii(value);
            return;
        }

        while (value.IndexOfAny(Unprintable) is >= 0 and var at)
        {
            Append(value[..at]);
            var c = value[at];
            Append(c == '\t' ? "\t"u8 : c > 0xFF ? "\\u"u8 : "\\x"u8);
            if (c != '\t')
            {
                Reserve(4);
                ((int)c).TryFormat(_bytes.AsSpan(Length), out var written, c > 0xFF ? "X4" : "X2", CultureInfo.InvariantCulture);
                Length += written;
            }

            value = value[(at + 1)..];
        }

        Append(value);
    }

    /// <summary>A text of JSON, without its quotes; escaped as little as JSON asks for, as Envoy writes it.</summary>
    public void AppendJson(ReadOnlySpan<char> value)
    {
        if (!value.ContainsAnyExcept(PlainInJson))
        {
            AppendAscii(value);
            return;
        }

        while (value.IndexOfAny(EscapedInJson) is >= 0 and var at)
        {
            Append(value[..at]);
            var c = value[at];
            switch (c)
            {
                case '"':
                    Append("\\\""u8);
                    break;
                case '\\':
                    Append("\\\\"u8);
                    break;
                case '\b':
                    Append("\\b"u8);
                    break;
                case '\f':
                    Append("\\f"u8);
                    break;
                case '\n':
                    Append("\\n"u8);
                    break;
                case '\r':
                    Append("\\r"u8);
                    break;
                case '\t':
                    Append("\\t"u8);
                    break;
                default:
                    Append("\\u"u8);
                    Reserve(4);
                    ((int)c).TryFormat(_bytes.AsSpan(Length), out var written, "x4", CultureInfo.InvariantCulture);
                    Length += written;
                    break;
            }

            value = value[(at + 1)..];
        }

        Append(value);
    }

    public override string ToString() => Encoding.UTF8.GetString(Written);

    private void AppendAscii(ReadOnlySpan<char> value)
    {
        Reserve(value.Length);
        Ascii.FromUtf16(value, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    private void Reserve(int bytes)
    {
        if (_bytes.Length - Length < bytes)
        {
            Grow(bytes);
        }
    }

    private void Grow(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, Length + bytes));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
