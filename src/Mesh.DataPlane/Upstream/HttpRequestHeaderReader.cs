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

    public override string? First(object carrier, HeaderName name) => TryGetValues(carrier, name, out var values) ? values.First() : null;

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
