using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Debug;

/// <summary>What is wrong with the documents now, also with those that are not in force because of it.</summary>
internal sealed class DiagnosticsPage(IConfigStore store) : IDebugPage
{
    public string Name => "diagnosticsz";

    public string Summary => "what is wrong with the documents, with file, line and field; ?namespace=";

    public JsonNode Read(DebugQuery query) => new JsonArray(
    [
        .. store.Diagnostics
            .Where(diagnostic => query["namespace"] is not { } wanted || diagnostic.Resource is null || diagnostic.Resource.Contains($" {wanted}/", StringComparison.Ordinal))
            .Select(diagnostic => new JsonObject
            {
                ["level"] = diagnostic.Severity.ToString(),
                ["code"] = diagnostic.Code,
                ["resource"] = diagnostic.Resource ?? "",
                ["where"] = string.Create(CultureInfo.InvariantCulture, $"{diagnostic.File}:{diagnostic.Line}:{diagnostic.Column}"),
                ["message"] = diagnostic.Path.Length > 0 ? $"{diagnostic.Path}: {diagnostic.Message}" : diagnostic.Message,
            }),
    ]);
}
