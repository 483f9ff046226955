namespace Mesh.DataPlane.Tests.Matching.Re2;

internal sealed record Re2Answer(string? Error, bool Full, bool Partial, int ProgramSize, int Groups, string Replaced);
