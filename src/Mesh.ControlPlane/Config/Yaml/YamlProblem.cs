namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>Something about a text.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Message">What it is.</param>
/// <param name="IsWarning">Whether what is around it can be used all the same.</param>
internal readonly record struct YamlProblem(int Line, int Column, string Message, bool IsWarning = false);
