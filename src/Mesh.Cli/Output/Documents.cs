using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Cli.Output;

/// <summary>Writes all that there is of something, as JSON or YAML.</summary>
internal static class Documents
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, IndentSize = 4, Encoder = JavaScriptEncoder.Default };

    public static void Write(CliEnvironment environment, OutputFormat format, JsonNode? node)
    {
        if (format == OutputFormat.Yaml)
        {
            environment.Out.Write(Yaml.Of(node));
        }
        else
        {
            environment.Out.WriteLine(node?.ToJsonString(Indented) ?? "null");
        }
    }
}
