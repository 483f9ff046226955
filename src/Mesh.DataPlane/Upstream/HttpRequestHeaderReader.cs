using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>The headers of an <see cref="HttpRequestMessage"/>, read as they are: nothing is parsed, and one value is not copied.</summary>
internal sealed class HttpRequestHeaderReader : HeaderReader
{
    public static HttpRequestHeaderReader Instance { get; } = new();

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var request = (HttpRequestMessage)carrier;
        if (name.IsContentHeader)
        {
            if (request.Content is { } content && content.Headers.NonValidated.TryGetValues(name.Value, out var contentValues))
            {
                value = contentValues.ToString();
                return true;
            }
        }
        else if (request.Headers.NonValidated.TryGetValues(name.Value, out var values))
        {
            value = values.ToString();
            return true;
        }

        value = [];
        return false;
    }
}
