namespace Mesh.DataPlane.Expressions;

/// <summary>What a piece of an expression is.</summary>
internal enum CelTokenKind
{
    End,
    Name,
    Int,
    Double,
    String,
    Operator,
}
