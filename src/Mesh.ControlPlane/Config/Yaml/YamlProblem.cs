namespace Mesh.ControlPlane.Config.Yaml;

internal readonly record struct YamlProblem(int Line, int Column, string Message);
