using System.Net.Http.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>The headers of an <see cref="HttpRequestMessage"/>, read as they are: nothing is parsed, and one value is not copied.</summary>
internal sealed class HttpRequestHeaderReader : HeaderReader
{
    public static HttpRequestHeaderReader Instance { get; } = new();

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        if (TryGetValues(carrier, name, out var values))
        {
            value = values.ToString();
            return true;
        }

        value = [];
        return false;
    }

    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        if (TryGetValues(carrier, name, out var values))
        {
            foreach (var value in values)
            {
                if (index-- == 0)
                {
                    line = value;
                    return true;
                }
            }
        }

        line = [];
        return false;
    }

    public override string? First(object carrier, HeaderName name) => TryGetValues(carrier, name, out var values) ? FirstOf(values) : null;

    public override long? ByteSize(object carrier)
    {
        var request = (HttpRequestMessage)carrier;
        return SizeOf(request.Headers) + (request.Content is { } content ? SizeOf(content.Headers) : 0);
    }

    /// <summary>The first of them, without what enumerating them by their interface would allocate.</summary>
    internal static string? FirstOf(HeaderStringValues values)
    {
        foreach (var value in values)
        {
            return value;
        }

        return null;
    }

    /// <summary>The bytes of names and values.</summary>
    internal static long SizeOf(HttpHeaders headers)
    {
        var size = 0L;
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                size += name.Length + value.Length;
            }
        }

        return size;
    }

    private static bool TryGetValues(object carrier, HeaderName name, out HeaderStringValues values)
    {
        var request = (HttpRequestMessage)carrier;
        if (!name.IsContentHeader)
        {
            return request.Headers.NonValidated.TryGetValues(name.Value, out values);
        }

        values = default;
        return request.Content is { } content && content.Headers.NonValidated.TryGetValues(name.Value, out values);
    }
}
