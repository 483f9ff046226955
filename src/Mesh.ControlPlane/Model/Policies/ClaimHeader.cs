namespace Mesh.ControlPlane.Model.Policies;

/// <summary>
/// The names by which a VirtualService matches claims of a token among headers: <c>@request.auth.claims.a.b</c> or, for names with dots,
/// <c>@request.auth.claims[a][b]</c>.
/// </summary>
internal static class ClaimHeader
{
    private const string Prefix = "@" + AuthorizationKeys.RequestClaims;

    /// <returns>The claim and those within it, which keep their case; <see langword="null"/> when the header is one.</returns>
    public static string[]? Claims(string header)
    {
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return header[Prefix.Length..] switch
        {
            ['.', .. { Length: > 0 } dotted] => dotted.Split('.'),
            ['[', .. { Length: > 0 } inner, ']'] => inner.Split("]["),
            _ => null,
        };
    }
}
