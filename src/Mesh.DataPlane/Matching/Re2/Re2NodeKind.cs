namespace Mesh.DataPlane.Matching.Re2;

internal enum Re2NodeKind
{
    Empty,
    Set,
    BeginText,
    EndText,
    BeginLine,
    EndLine,
    WordBoundary,
    NotWordBoundary,
    Concatenation,
    Alternation,
    Repeat,
    Capture,
}
