using System.Reflection;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;

using Mesh.Xds.Redaction;

namespace Mesh.Xds.Json;

/// <summary>Messages as JSON for people to read, with what is packed in them unpacked. Secrets are still in it: see <see cref="MessageRedaction"/>.</summary>
internal static class XdsJson
{
    private const int MaxDepth = 200;

    /// <summary>Every message that this library knows.</summary>
    public static TypeRegistry Types { get; } = TypesOf(typeof(XdsJson).Assembly);

    private static readonly JsonFormatter Wire = new(JsonFormatter.Settings.Default.WithTypeRegistry(Types).WithPreserveProtoFieldNames(true));

    /// <summary>With the field names of the <c>.proto</c> files, as Envoy's admin interface writes them.</summary>
    public static JsonObject Of(IMessage message) => Format(Wire, message);

    private static readonly JsonFormatter Text = new(JsonFormatter.Settings.Default.WithTypeRegistry(Types).WithPreserveProtoFieldNames(true).WithIndentation(" "));

    /// <summary>The same as a text with a line for each field.</summary>
    /// <exception cref="InvalidOperationException">Something is packed in it that is not known here: see <see cref="MessageRedaction"/>.</exception>
    public static string TextOf(IMessage message) => Text.Format(message);

    /// <summary>With the field names of JSON, as people write them in YAML.</summary>
    /// <param name="message">The message.</param>
    /// <param name="types">What may be packed in it.</param>
    public static JsonObject Of(IMessage message, TypeRegistry types) => Format(new JsonFormatter(JsonFormatter.Settings.Default.WithTypeRegistry(types)), message);

    /// <summary>The messages of an assembly of generated code.</summary>
    public static TypeRegistry TypesOf(Assembly assembly) => TypeRegistry.FromFiles(
        assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Static | BindingFlags.Public)?.GetValue(null))
            .OfType<FileDescriptor>());

    private static JsonObject Format(JsonFormatter formatter, IMessage message)
    {
        string text;
        try
        {
            text = formatter.Format(message);
        }
        catch (InvalidOperationException e)
        {
            // Something is packed in it that is not known here.
            return new JsonObject { ["@unreadable"] = e.Message };
        }

        return (JsonObject)JsonNode.Parse(text, documentOptions: new System.Text.Json.JsonDocumentOptions { MaxDepth = MaxDepth })!;
    }
}
