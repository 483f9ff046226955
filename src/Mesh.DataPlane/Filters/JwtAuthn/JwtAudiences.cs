namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>The audiences of which a token has to name one; without any, every token will do. Scheme and trailing slash do not count, as in Envoy.</summary>
internal sealed class JwtAudiences(IEnumerable<string> audiences)
{
    private readonly HashSet<string> _allowed = new(audiences.Select(Plain), StringComparer.Ordinal);

    public bool Allow(IReadOnlyList<string> audiences)
    {
        if (_allowed.Count == 0)
        {
            return true;
        }

        foreach (var audience in audiences)
        {
            if (_allowed.Contains(Plain(audience)))
            {
                return true;
            }
        }

        return false;
    }

    private static string Plain(string audience)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["https://", "http://"])
        {
            if (audience.StartsWith(scheme, StringComparison.Ordinal))
            {
                audience = audience[scheme.Length..];
                break;
            }
        }

        return audience.EndsWith('/') ? audience[..^1] : audience;
    }
}
