namespace Mesh.DataPlane.Matching.Re2;

/// <summary>The flags that <c>(?imsU)</c> sets. RE2 has no others.</summary>
[Flags]
internal enum Re2Flags
{
    None = 0,
    FoldCase = 1,
    MultiLine = 2,
    DotNewline = 4,

    /// <summary>Swaps the meaning of <c>x*</c> and <c>x*?</c>.</summary>
    Ungreedy = 8,
}
