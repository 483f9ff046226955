namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>One document of a text.</summary>
/// <param name="Root">Its content.</param>
/// <param name="Text">The lines it is written on.</param>
/// <param name="FirstLine">The number of the first of them, from 1.</param>
/// <param name="Problems">What is wrong with its mappings: unless it is a warning the document cannot be used, the others of the text can.</param>
internal sealed record YamlDocument(YamlNode Root, ReadOnlyMemory<char> Text, int FirstLine, IReadOnlyList<YamlProblem> Problems);
