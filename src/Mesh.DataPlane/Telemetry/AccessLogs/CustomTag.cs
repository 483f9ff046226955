using Envoy.Type.Metadata.V3;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using Message = Envoy.Type.Tracing.V3.CustomTag;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>What an entry is given by name besides what it has of its own (Envoy's <c>CustomTag</c>).</summary>
/// <param name="Name">The name.</param>
/// <param name="Format">Tells the value.</param>
/// <param name="Default">The value where there is none; empty for no tag.</param>
internal sealed record CustomTag(string Name, SubstitutionFormat Format, string Default)
{
    public IEnumerable<string> RequestHeaders => Format.RequestHeaders;

    /// <exception cref="ResourceRejectedException">It reads what is not to be read, or what is not kept here.</exception>
    public static CustomTag Compile(Message message, string path)
    {
        if (message.Tag.Length == 0)
        {
            throw new ResourceRejectedException(path + ".tag", "must not be empty");
        }

        switch (message.TypeCase)
        {
            case Message.TypeOneofCase.Literal:
                return Of(message.Literal.Value.Replace("%", "%%", StringComparison.Ordinal), "");
            case Message.TypeOneofCase.Value:
                return Of(message.Value, "");
            case Message.TypeOneofCase.RequestHeader:
                return Of($"%REQ({message.RequestHeader.Name})%", message.RequestHeader.DefaultValue);
            case Message.TypeOneofCase.Metadata:
                var keys = (message.Metadata.MetadataKey ?? throw new ResourceRejectedException(path + ".metadata.metadata_key", "must be set")).Path.Select(s => s.Key);
                var of = message.Metadata.Kind?.KindCase == MetadataKind.KindOneofCase.Route ? "ROUTE:" : "";
                return Of($"%{Command(message.Metadata.Kind, path)}({of}{string.Join(':', keys.Prepend(message.Metadata.MetadataKey.Key))})%", message.Metadata.DefaultValue);
            case Message.TypeOneofCase.Environment:
                throw new ResourceRejectedException(path + ".environment", "is refused: a control plane may not read the environment of this process");
            default:
                throw new ResourceRejectedException(path, "type must be set");
        }

        CustomTag Of(string format, string missing)
        {
            try
            {
                return new CustomTag(message.Tag, SubstitutionFormat.Parse(format, omitEmptyValues: true), missing);
            }
            catch (SubstitutionFormatException e)
            {
                throw new ResourceRejectedException(path, e.Message);
            }
        }
    }

    /// <returns><see langword="null"/> when there is none.</returns>
    public string? ValueOf(in FormatContext context) => Format.RenderValue(context) is { Length: > 0 } value ? value : Default.Length > 0 ? Default : null;

    private static string Command(MetadataKind? kind, string path)
        => kind?.KindCase switch
        {
            null or MetadataKind.KindOneofCase.None or MetadataKind.KindOneofCase.Request => "DYNAMIC_METADATA",
            MetadataKind.KindOneofCase.Cluster => "CLUSTER_METADATA",
            MetadataKind.KindOneofCase.Host => "UPSTREAM_METADATA",
            MetadataKind.KindOneofCase.Route => "METADATA",
            var other => throw new ResourceRejectedException(path + ".metadata.kind", $"{other} is not known"),
        };
}
