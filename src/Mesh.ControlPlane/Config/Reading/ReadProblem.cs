namespace Mesh.ControlPlane.Config.Reading;

internal readonly record struct ReadProblem(ConfigSeverity Severity, string Code, int Line, int Column, string Path, string Message);
