using Google.Protobuf;
using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>Reads the part of a document that a kind's message holds: sets its fields, then checks what the message type cannot say.</summary>
internal static class SpecReader
{
    /// <param name="context">Takes what is wrong.</param>
    /// <param name="options">How to read.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="spec">The node that holds the fields.</param>
    /// <param name="at">Its path in the document, with which every diagnostic begins.</param>
    /// <param name="place">Where something is told that no field is to blame for.</param>
    /// <returns>The message, or <see langword="null"/> when it cannot be used.</returns>
    public static IMessage? Read(ReadContext context, ConfigReaderOptions options, ConfigKind kind, YamlNode spec, YamlPath at, YamlNode place)
    {
        var message = new MessageReader(context).Read(kind.Spec, spec, at);
        if (context.HasErrors)
        {
            return null;
        }

        var whole = at.ToString();
        var validation = new ValidationContext(
            (severity, code, path, text) => context.Add(
                severity,
                code,
                path.Length == 0 ? place : YamlPath.Find(spec, path),
                path.Length == 0 ? whole : whole.Length == 0 ? path : $"{whole}.{path}",
                text),
            options.CheckRegex,
            path => YamlPath.IsWritten(spec, path),
            options.CheckExpression);
        kind.Validate?.Invoke(message, validation);
        if (!context.HasErrors && kind.Honoured is { } honoured)
        {
            new HonouredFieldsAnalyzer(validation).Analyze(message, honoured);
        }

        return context.HasErrors ? null : message;
    }
}
