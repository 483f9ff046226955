using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Expressions;

/// <summary>What expressions look names up in.</summary>
internal static class CelMaps
{
    private delegate string? HeaderOf(in FormatContext context, HeaderName name);

    public static CelMap RequestHeaders { get; } = new Headers((in FormatContext c, HeaderName name) => c.RequestHeader(name));

    public static CelMap ResponseHeaders { get; } = new Headers((in FormatContext c, HeaderName name) => c.ResponseHeader(name));

    public static CelMap ResponseTrailers { get; } = new Headers((in FormatContext c, HeaderName name) => c.ResponseTrailer(name));

    /// <summary>The message of dynamic metadata, which has one field that is ever written.</summary>
    public static CelMap DynamicMetadata { get; } = new Message(new MetadataOfRequest());

    /// <summary>What a resource says of itself.</summary>
    public static CelMap Of(ResourceMetadata metadata) => new Message(new Namespaces(metadata));

    /// <summary>A value of JSON, as filters leave them.</summary>
    public static CelValue Of(JsonNode? node)
    {
        switch (node)
        {
            case null:
                return CelValue.Null;
            case JsonObject o:
                return CelValue.Of(new Json(o));
            case JsonArray array:
                return CelValue.Of([.. array.Select(Of)]);
            default:
                return node.GetValueKind() switch
                {
                    JsonValueKind.String => CelValue.Of(node.GetValue<string>()),
                    JsonValueKind.True => CelValue.Of(true),
                    JsonValueKind.False => CelValue.Of(false),
                    JsonValueKind.Number => CelValue.Of(JsonText.NumberOf(node)!.Value),
                    _ => CelValue.Null,
                };
        }
    }

    /// <summary>A value of a resource's metadata.</summary>
    public static CelValue Of(Value value)
        => value.KindCase switch
        {
            Value.KindOneofCase.StringValue => CelValue.Of(value.StringValue),
            Value.KindOneofCase.BoolValue => CelValue.Of(value.BoolValue),
            Value.KindOneofCase.NumberValue => CelValue.Of(value.NumberValue),
            Value.KindOneofCase.StructValue => CelValue.Of(new Fields(value.StructValue)),
            Value.KindOneofCase.ListValue => CelValue.Of([.. value.ListValue.Values.Select(Of)]),
            _ => CelValue.Null,
        };

    private sealed class Headers(HeaderOf value) : CelMap
    {
        public override CelValue Get(in FormatContext context, CelKey key) => key.Header is { } name ? CelValue.Of(value(context, name)) : default;
    }

    private sealed class Namespaces(ResourceMetadata metadata) : CelMap
    {
        public override CelValue Get(in FormatContext context, CelKey key) => metadata.Fields(key.Text) is { } fields ? CelValue.Of(new Fields(fields)) : default;
    }

    // envoy.config.core.v3.Metadata.
    private sealed class Message(CelMap filterMetadata) : CelMap
    {
        public override CelValue Get(in FormatContext context, CelKey key) => key.Text == "filter_metadata" ? CelValue.Of(filterMetadata) : default;
    }

    private sealed class MetadataOfRequest : CelMap
    {
        public override int? CountIn(in FormatContext context) => context.Metadata?.Count ?? 0;

        public override CelValue Get(in FormatContext context, CelKey key)
            => context.Metadata is { } metadata && metadata.TryGetValue(key.Text, out var value) ? Of(value) : default;
    }

    private sealed class Json(JsonObject o) : CelMap
    {
        public override int? CountIn(in FormatContext context) => o.Count;

        public override CelValue Get(in FormatContext context, CelKey key) => o.TryGetPropertyValue(key.Text, out var node) ? Of(node) : default;
    }

    private sealed class Fields(Struct fields) : CelMap
    {
        public override int? CountIn(in FormatContext context) => fields.Fields.Count;

        public override CelValue Get(in FormatContext context, CelKey key) => fields.Fields.TryGetValue(key.Text, out var value) ? Of(value) : default;
    }
}
