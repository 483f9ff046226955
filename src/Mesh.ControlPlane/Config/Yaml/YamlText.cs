namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>What composing a text gave.</summary>
/// <param name="Documents">The documents before the first syntax error; empty ones are left out.</param>
/// <param name="Broken">The syntax error or exceeded limit that ended it, if any.</param>
internal sealed record YamlText(IReadOnlyList<YamlDocument> Documents, YamlProblem? Broken);
