using Google.Protobuf;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.MeshWide;

/// <summary>One message of a document while it is read: who it is, and what is wrong with it.</summary>
internal sealed class MeshDocumentPart(ConfigReaderOptions options, string file, ConfigKind kind, string @namespace, string name)
{
    private YamlScalar? _text;

    public ReadContext Context { get; } = new(options);

    public ConfigKind Kind => kind;

    public string Namespace { get; set; } = @namespace;

    public string Name { get; set; } = name;

    /// <summary>Its fields have no places of their own in the file: what is wrong is told at this string, with the line in it.</summary>
    public void PutAllAt(YamlScalar text) => _text = text;

    /// <param name="message">What was read; <see langword="null"/>: nothing that can be used.</param>
    /// <param name="line">Where it begins.</param>
    /// <param name="created">How old it is.</param>
    /// <param name="marks">Where its fields are, if that is known.</param>
    /// <param name="specPath">The path of its fields in the document.</param>
    /// <param name="metadata">Its metadata, if it has any.</param>
    public ConfigDocument ToDocument(IMessage? message, int line, DateTimeOffset created, SourceMap? marks, string specPath, ObjectMeta? metadata = null)
    {
        var told = $"{kind.Kind} {Namespace}/{Name}";
        var resource = message is null || Context.HasErrors
            ? null
            : new ConfigResource(
                kind,
                Name,
                Namespace,
                metadata?.Labels ?? new(),
                metadata?.Annotations ?? new(),
                created,
                message,
                new ConfigSource(file, line) { Marks = marks })
            {
                HasCreationTimestamp = metadata?.CreationTimestamp is not null,
                SpecPath = specPath,
            };
        return new ConfigDocument((kind.ToString(), Namespace, Name), resource, [.. Context.Problems.Select(problem => Tell(problem, told))]);
    }

    private ConfigDiagnostic Tell(ReadProblem problem, string told)
        => _text is null
            ? new ConfigDiagnostic(problem.Severity, problem.Code, file, problem.Line, problem.Column, problem.Path, told, problem.Message)
            : new ConfigDiagnostic(
                problem.Severity, problem.Code, file, _text.Line, _text.Column, problem.Path, told, $"{problem.Message} (Line {problem.Line} of the text.)");
}
