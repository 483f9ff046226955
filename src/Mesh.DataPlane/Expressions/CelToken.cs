namespace Mesh.DataPlane.Expressions;

/// <summary>A piece of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Where it begins.</param>
/// <param name="Text">The name, the operator, the value of a text.</param>
/// <param name="Number">The value of an integer.</param>
/// <param name="Fraction">The value of a number with a point.</param>
internal readonly record struct CelToken(CelTokenKind Kind, int Position, string Text, long Number = 0, double Fraction = 0)
{
    public bool Is(string text) => Kind == CelTokenKind.Operator && Text == text;

    public bool IsName(string text) => Kind == CelTokenKind.Name && Text == text;
}
