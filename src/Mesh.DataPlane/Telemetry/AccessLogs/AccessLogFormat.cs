using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>How an entry of a log is written: as text, or as one object of JSON a line.</summary>
internal sealed class AccessLogFormat
{
    private readonly SubstitutionFormat? _text;
    private readonly JsonFormat? _json;

    public AccessLogFormat(SubstitutionFormat text) => _text = text;

    public AccessLogFormat(JsonFormat json) => _json = json;

    /// <summary>Envoy's default.</summary>
    public static AccessLogFormat Default { get; } = new(SubstitutionFormat.Parse(AccessLogFormats.Envoy, omitEmptyValues: false));

    public bool IsJson => _json is not null;

    public IReadOnlyList<string> NotAlwaysKnown => _text?.NotAlwaysKnown ?? _json!.NotAlwaysKnown;

    public IReadOnlyList<string> RequestHeaders => _text?.RequestHeaders ?? _json!.RequestHeaders;

    /// <summary>Writes an entry; one of JSON ends its line, one of text says itself where it ends.</summary>
    public void Write(in FormatContext context, Utf8Text text)
    {
        if (_text is not null)
        {
            _text.Write(context, text);
        }
        else
        {
            _json!.Write(context, text);
            text.Append((byte)'\n');
        }
    }
}
