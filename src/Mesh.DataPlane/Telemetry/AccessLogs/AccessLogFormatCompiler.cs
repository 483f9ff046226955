using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Formatting;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Compiles <c>SubstitutionFormatString</c> and the older ways to say a format.</summary>
internal static class AccessLogFormatCompiler
{
    private static readonly HashSet<string> _builtIn = new(StringComparer.Ordinal)
    {
        "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
        "type.googleapis.com/envoy.extensions.formatter.metadata.v3.Metadata",
        "type.googleapis.com/envoy.extensions.formatter.cel.v3.Cel",
    };

    /// <param name="message">The format; Envoy's default where there is none.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="notes">Takes what is not applied.</param>
    /// <exception cref="ResourceRejectedException">It cannot be compiled, or wants to read what is not a control plane's to read.</exception>
    public static AccessLogFormat Compile(SubstitutionFormatString? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return AccessLogFormat.Default;
        }

        for (var i = 0; i < message.Formatters.Count; i++)
        {
            if (!_builtIn.Contains(message.Formatters[i].TypedConfig?.TypeUrl ?? ""))
            {
                notes.Add($"{path}.formatters[{i}] is not applied: there is no formatter '{message.Formatters[i].Name}' here");
            }
        }

#pragma warning disable CS0612 // The older spelling of the same.
        return message.FormatCase switch
        {
            SubstitutionFormatString.FormatOneofCase.TextFormat => Text(message.TextFormat, message.OmitEmptyValues, path + ".text_format"),
            SubstitutionFormatString.FormatOneofCase.TextFormatSource => Text(Source(message.TextFormatSource, path + ".text_format_source"), message.OmitEmptyValues, path + ".text_format_source"),
            SubstitutionFormatString.FormatOneofCase.JsonFormat => Json(message.JsonFormat, message.OmitEmptyValues, typed: true, path + ".json_format"),
            _ => AccessLogFormat.Default,
        };
#pragma warning restore CS0612
    }

    public static AccessLogFormat Text(string text, bool omitEmptyValues, string path)
        => Checked(() => new AccessLogFormat(SubstitutionFormat.Parse(text, omitEmptyValues)), path);

    public static AccessLogFormat Json(Struct format, bool omitEmptyValues, bool typed, string path)
        => Checked(() => new AccessLogFormat(JsonFormat.Parse(format, omitEmptyValues, typed)), path);

    private static AccessLogFormat Checked(Func<AccessLogFormat> compile, string path)
    {
        try
        {
            return compile();
        }
        catch (SubstitutionFormatException e)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }

    private static string Source(DataSource source, string path)
        => source.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineString => source.InlineString,
            DataSource.SpecifierOneofCase.InlineBytes => source.InlineBytes.ToStringUtf8(),
            DataSource.SpecifierOneofCase.Filename => throw new ResourceRejectedException(path + ".filename", "is refused: a control plane may not read the files of this process; write the format as inline_string"),
            DataSource.SpecifierOneofCase.EnvironmentVariable => throw new ResourceRejectedException(path + ".environment_variable", "is refused: a control plane may not read the environment of this process; write the format as inline_string"),
            _ => throw new ResourceRejectedException(path, "one of inline_string and inline_bytes must be set"),
        };
}
