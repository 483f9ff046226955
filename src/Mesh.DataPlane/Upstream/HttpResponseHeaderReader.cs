using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>The headers of an <see cref="HttpResponseMessage"/> for matchers; <c>:status</c> among them.</summary>
internal sealed class HttpResponseHeaderReader : HeaderReader
{
    public static HttpResponseHeaderReader Instance { get; } = new();

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var response = (HttpResponseMessage)carrier;
        if (name.Value == ":status")
        {
            value = ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return true;
        }

        var headers = name.IsContentHeader ? response.Content.Headers.NonValidated : response.Headers.NonValidated;
        if (headers.TryGetValues(name.Value, out var values))
        {
            value = values.ToString();
            return true;
        }

        value = [];
        return false;
    }
}
