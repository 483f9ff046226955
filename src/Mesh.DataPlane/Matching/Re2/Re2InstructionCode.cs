namespace Mesh.DataPlane.Matching.Re2;

internal enum Re2InstructionCode
{
    Match,
    Character,
    Split,
    Assert,
    Save,
}
