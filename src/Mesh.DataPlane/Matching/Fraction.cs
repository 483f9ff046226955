namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>FractionalPercent</c>: a share of all requests, decided by the request's one random draw.</summary>
internal readonly record struct Fraction(uint Numerator, uint Denominator)
{
    public bool Includes(ulong draw) => (uint)Math.BigMul(draw, Denominator, out _) < Numerator;

    /// <summary>Draws for it once more; what happens always or never costs no draw, so that the numbers of others stay in their order.</summary>
    public bool Happens(IRandomSource random) => Numerator > 0 && (Numerator >= Denominator || Includes(random.NextUInt64()));

    public override string ToString() => $"{Numerator} in {Denominator} requests";
}
