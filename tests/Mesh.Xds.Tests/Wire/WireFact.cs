namespace Mesh.Xds.Tests.Wire;

internal sealed record WireFact(string Kind, string Name, string Member, int Number, string Cardinality, string Type, string Oneof, string Rules);
