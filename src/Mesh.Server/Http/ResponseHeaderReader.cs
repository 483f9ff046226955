using Mesh.DataPlane.Matching;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Http;

/// <summary>The headers of the application's responses, for formats.</summary>
internal sealed class ResponseHeaderReader : HeaderReader
{
    public static ResponseHeaderReader Instance { get; } = new();

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var response = ((HttpContext)carrier).Response;
        if (name.Value == ":status")
        {
            value = DataPlane.Headers.HeaderNumbers.Text(response.StatusCode);
            return true;
        }

        if (response.Headers.TryGetValue(name.Value, out var values))
        {
            value = HeaderText.Join(values);
            return true;
        }

        value = [];
        return false;
    }

    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        if (((HttpContext)carrier).Response.Headers.TryGetValue(name.Value, out var values) && index < values.Count)
        {
            line = values[index];
            return true;
        }

        line = [];
        return false;
    }

    public override long? ByteSize(object carrier)
    {
        var size = 0L;
        foreach (var (name, values) in ((HttpContext)carrier).Response.Headers)
        {
            foreach (var value in values)
            {
                size += name.Length + (value?.Length ?? 0);
            }
        }

        return size;
    }

    public override string? First(object carrier, HeaderName name)
        => ((HttpContext)carrier).Response.Headers.TryGetValue(name.Value, out var values) && values.Count > 0 ? values[0] ?? "" : null;
}
