namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>FractionalPercent</c>: a share of all requests, decided by the request's one random draw.</summary>
internal readonly record struct Fraction(uint Numerator, uint Denominator)
{
    public bool Includes(ulong draw) => (uint)Math.BigMul(draw, Denominator, out _) < Numerator;

    public override string ToString() => $"{Numerator} in {Denominator} requests";
}
