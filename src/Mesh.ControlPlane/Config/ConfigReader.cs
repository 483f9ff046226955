using Mesh.ControlPlane.Config.MeshWide;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config;

/// <summary>Reads texts of YAML documents into typed ones.</summary>
internal sealed class ConfigReader(ConfigReaderOptions options, TimeProvider time)
{
    /// <param name="text">Any number of documents.</param>
    /// <param name="file">The name to tell in diagnostics.</param>
    public ConfigText Read(string text, string file)
    {
        var yaml = YamlComposer.Compose(text, options.Limits);
        var documents = new List<ConfigDocument>(yaml.Documents.Count);
        var now = time.GetUtcNow();
        foreach (var document in yaml.Documents)
        {
            var list = IsList(document.Root);
            if (list is null)
            {
                documents.AddRange(ReadOne(document.Root, document, document.Problems, ""));
                continue;
            }

            for (var i = 0; i < list.Items.Count; i++)
            {
                if (list.Items[i] is not YamlScalar { IsNull: true })
                {
                    documents.AddRange(ReadOne(list.Items[i], document, ProblemsOf(list, i, document), YamlPath.Append("items", i)));
                }
            }
        }

        var broken = yaml.Broken is { } problem
            ? new ConfigDiagnostic(ConfigSeverity.Error, ConfigCodes.Syntax, file, problem.Line, problem.Column, "", null, problem.Message)
            : null;
        return new ConfigText(documents, broken);

        IReadOnlyList<ConfigDocument> ReadOne(YamlNode root, YamlDocument document, IReadOnlyList<YamlProblem> problems, string prefix)
            => MeshDocumentReader.FormOf(root, file) is { } form
                ? new MeshDocumentReader(options, file, document, problems, prefix, now).Read(form, (YamlMapping)root)
                : [new ObjectReader(options, file, document, problems, prefix, now).Read(root)];
    }

    // A problem of a List belongs to the item it stands in, so that the other items can be used.
    private static YamlProblem[] ProblemsOf(YamlSequence list, int index, YamlDocument document)
    {
        return [.. document.Problems.Where(p => (index == 0 || !Before(p, list.Items[index])) && (index == list.Items.Count - 1 || Before(p, list.Items[index + 1])))];

        static bool Before(YamlProblem problem, YamlNode node) => (problem.Line, problem.Column).CompareTo((node.Line, node.Column)) < 0;
    }

    private static YamlSequence? IsList(YamlNode root)
        => root is YamlMapping mapping
            && mapping.TryGet("kind", out var kind)
            && kind.Value is YamlScalar { Value: "List" }
            && mapping.TryGet("items", out var items)
                ? items.Value as YamlSequence
                : null;
}
