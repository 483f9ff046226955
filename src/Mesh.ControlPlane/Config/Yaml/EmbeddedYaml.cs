namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>
/// A YAML text that stands in a string of another, as <c>data.mesh</c> of a ConfigMap does. Where it is a literal block (<c>|</c>) its nodes are
/// where they are in the file; where it is quoted or folded its lines are not the file's, and all of it is at the string.
/// </summary>
internal sealed record EmbeddedYaml(YamlDocument? Document, YamlProblem? Broken, bool HasPlaces)
{
    /// <param name="document">The document around it.</param>
    /// <param name="key">The key of the string.</param>
    /// <param name="text">The string.</param>
    /// <param name="limits">What it may cost.</param>
    public static EmbeddedYaml Compose(YamlDocument document, YamlScalar key, YamlScalar text, YamlLimits limits)
    {
        var block = LiteralBlock(document, key, text);
        var composed = YamlComposer.Compose(block ?? text.Value, limits);
        var broken = composed.Broken;
        if (broken is null && composed.Documents.Count > 1)
        {
            broken = new YamlProblem(composed.Documents[1].FirstLine, 1, "there is a second document: only one may stand here.");
        }

        return new EmbeddedYaml(composed.Documents.Count > 0 ? composed.Documents[0] : null, broken, block is not null);
    }

    /// <summary>The lines of the block as they are written, indentation and all, on the lines of the file that they are written on.</summary>
    private static string? LiteralBlock(YamlDocument document, YamlScalar key, YamlScalar text)
    {
        var lines = document.Text.ToString().Split('\n');
        var first = text.Line - document.FirstLine;
        if (first < 0 || first >= lines.Length || text.Column > lines[first].Length || lines[first][text.Column - 1] != '|')
        {
            return null;
        }

        var block = new List<string>();
        var values = text.Value.Split('\n');
        for (var i = first + 1; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            var content = line.AsSpan().TrimStart(' ');
            if (!content.IsEmpty && line.Length - content.Length < key.Column)
            {
                break;
            }

            // A document that was composed from elsewhere, such as an alias: then these are not its lines.
            if (block.Count < values.Length && !line.EndsWith(values[block.Count], StringComparison.Ordinal))
            {
                return null;
            }

            block.Add(line);
        }

        return new string('\n', text.Line) + string.Join('\n', block);
    }
}
