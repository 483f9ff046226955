using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>The headers that a log tells of, as they were when the request began: later the message is its owner's again, who may do with it as they like.</summary>
internal sealed class CapturedHeaders : HeaderReader
{
    private const string RequestId = "x-request-id";

    private readonly HeaderName[] _names;

    public CapturedHeaders(IEnumerable<string> names)
        => _names = [.. names.Where(n => HeaderName.IsValid(n)).Select(n => n.ToLowerInvariant()).Prepend(RequestId).Distinct(StringComparer.Ordinal).Select(n => new HeaderName(n)).Where(n => n.Pseudo == PseudoHeader.None)];

    /// <summary>Reads them.</summary>
    public void Capture(RequestRecord record)
    {
        var values = record.Capture(_names.Length);
        if (record is { Request: { } request, RequestHeaders: { } headers })
        {
            // The first is the request's id, which mostly is known.
            for (var i = record.RequestId is null ? 0 : 1; i < values.Length; i++)
            {
                values[i] = headers.First(request, _names[i]);
            }
        }
    }

    /// <summary>Adds the id that the message has had on its way.</summary>
    public void Complete(RequestRecord record)
    {
        var values = record.Capture(_names.Length);
        if (record.RequestId is { } id)
        {
            values[0] = id;
        }
    }

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var found = First(carrier, name);
        value = found;
        return found is not null;
    }

    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        line = [];
        return index == 0 && TryGet(carrier, name, out line);
    }

    public override string? First(object carrier, HeaderName name)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            if (_names[i].Value == name.Value)
            {
                return ((string?[])carrier)[i];
            }
        }

        return null;
    }
}
