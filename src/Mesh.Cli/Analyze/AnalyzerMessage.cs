using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Config;

namespace Mesh.Cli.Analyze;

/// <summary>Something that is wrong, as <c>istioctl analyze</c> tells it.</summary>
internal sealed record AnalyzerMessage(bool IsError, string Code, string Resource, string Where, string Text)
{
    public static AnalyzerMessage Of(ConfigDiagnostic diagnostic) => new(
        diagnostic.Severity == ConfigSeverity.Error,
        diagnostic.Code,
        diagnostic.Resource ?? "",
        string.Create(CultureInfo.InvariantCulture, $"{diagnostic.File}:{diagnostic.Line}:{diagnostic.Column}"),
        diagnostic.Path.Length > 0 ? $"{diagnostic.Path}: {diagnostic.Message}" : diagnostic.Message);

    /// <summary>As a control plane tells it.</summary>
    public static AnalyzerMessage Of(JsonObject json) => new(
        json["level"]?.ToString() == "Error", json["code"]?.ToString() ?? "", json["resource"]?.ToString() ?? "", json["where"]?.ToString() ?? "", json["message"]?.ToString() ?? "");

    public JsonObject ToJson() => new() { ["level"] = Level, ["code"] = Code, ["resource"] = Resource, ["where"] = Where, ["message"] = Text };

    public override string ToString() => $"{Level} [{Code}] ({(Resource.Length > 0 ? Resource + " " : "")}{Where}) {Text}";

    private string Level => IsError ? "Error" : "Warning";
}
