using System.Net.Http.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>The headers of an <see cref="HttpResponseMessage"/>, those of its content and <c>:status</c> included, or its trailers.</summary>
internal sealed class HttpResponseHeaderReader : HeaderReader
{
    private readonly bool _trailers;

    private HttpResponseHeaderReader(bool trailers) => _trailers = trailers;

    public static HttpResponseHeaderReader Instance { get; } = new(trailers: false);

    /// <summary>The trailers, which are there when the body has been read.</summary>
    public static HttpResponseHeaderReader Trailers { get; } = new(trailers: true);

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        if (name.Value == ":status" && !_trailers)
        {
            value = ((int)((HttpResponseMessage)carrier).StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return true;
        }

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
        if (name.Value == ":status" && !_trailers)
        {
            line = [];
            return index == 0 && TryGet(carrier, name, out line);
        }

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

    public override string? First(object carrier, HeaderName name) => TryGetValues(carrier, name, out var values) ? HttpRequestHeaderReader.FirstOf(values) : null;

    public override long? ByteSize(object carrier)
    {
        var response = (HttpResponseMessage)carrier;
        return _trailers ? HttpRequestHeaderReader.SizeOf(response.TrailingHeaders)
            : HttpRequestHeaderReader.SizeOf(response.Headers) + HttpRequestHeaderReader.SizeOf(response.Content.Headers);
    }

    private bool TryGetValues(object carrier, HeaderName name, out HeaderStringValues values)
    {
        var response = (HttpResponseMessage)carrier;
        HttpHeaders headers = _trailers ? response.TrailingHeaders : name.IsContentHeader ? response.Content.Headers : response.Headers;
        return headers.NonValidated.TryGetValues(name.Value, out values);
    }
}
