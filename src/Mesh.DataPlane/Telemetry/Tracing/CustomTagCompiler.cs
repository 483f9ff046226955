using Envoy.Type.Metadata.V3;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Headers;
using Mesh.Xds.Client;
using EnvoyTag = Envoy.Type.Tracing.V3.CustomTag;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Compiles the tags that listeners and routes add to spans.</summary>
internal static class CustomTagCompiler
{
    public static CustomTag[] Compile(IReadOnlyList<EnvoyTag> tags, string path, ICollection<string> notes)
        => [.. tags.Select((tag, i) => Compile(tag, $"{path}[{i}]", notes))];

    private static CustomTag Compile(EnvoyTag tag, string path, ICollection<string> notes)
    {
        switch (tag.TypeCase)
        {
            case EnvoyTag.TypeOneofCase.Literal:
                return new CustomTag(tag.Tag, null, null, tag.Literal.Value);
            case EnvoyTag.TypeOneofCase.Environment:
                if (!TracedWorkload.HarmlessVariables.Contains(tag.Environment.Name))
                {
                    notes.Add($"{path}.environment.name: {tag.Environment.Name} is read where Mesh:Tracing:EnvironmentVariables has its name, since a control plane may not read the environment of this process; else the tag has its default_value");
                }

                return new CustomTag(tag.Tag, null, null, tag.Environment.DefaultValue) { Variable = tag.Environment.Name };
            case EnvoyTag.TypeOneofCase.RequestHeader:
                return new CustomTag(tag.Tag, HeaderOf(tag.RequestHeader.Name, path + ".request_header.name"), null, tag.RequestHeader.DefaultValue);
            case EnvoyTag.TypeOneofCase.Metadata:
                var key = tag.Metadata.MetadataKey ?? throw new ResourceRejectedException(path + ".metadata.metadata_key", "must be set");
                return new CustomTag(tag.Tag, null, null, tag.Metadata.DefaultValue)
                {
                    Metadata = MetadataCommands.Sources[tag.Metadata.Kind?.KindCase switch
                    {
                        MetadataKind.KindOneofCase.Route => "ROUTE",
                        MetadataKind.KindOneofCase.Cluster => "CLUSTER",
                        MetadataKind.KindOneofCase.Host => "UPSTREAM_HOST",
                        _ => "DYNAMIC",
                    }],
                    MetadataNamespace = key.Key,
                    MetadataPath = [.. key.Path.Select(segment => segment.Key)],
                };
            case EnvoyTag.TypeOneofCase.Value:
                return new CustomTag(tag.Tag, null, HeaderMutationsCompiler.Format(tag.Value, omitEmptyValues: true, path + ".value", notes), "");
            default:
                throw new ResourceRejectedException(path, "one of literal, environment, request_header, metadata and value must be set");
        }
    }

    private static Matching.HeaderName HeaderOf(string name, string path)
        => Matching.HeaderName.IsValid(name.AsSpan(name.StartsWith(':') ? 1 : 0)) ? new Matching.HeaderName(name) : throw new ResourceRejectedException(path, $"'{name}' is no header name");
}
