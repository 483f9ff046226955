using System.Globalization;

namespace Mesh.ControlPlane.Model;

/// <summary>Splits <c>host[:port]</c>.</summary>
internal static class Authority
{
    private const int MaxHostLength = 253;

    /// <returns><see langword="false"/> for what is no authority; an absent port is <see langword="null"/>.</returns>
    public static bool TryParse(string authority, out string host, out uint? port)
    {
        port = null;
        host = authority;
        var colon = authority.LastIndexOf(':');
        if (colon >= 0 && !authority.EndsWith(']'))
        {
            if (!uint.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number is 0 or > ushort.MaxValue)
            {
                return false;
            }

            port = number;
            host = authority[..colon];
        }

        host = host.TrimEnd('.').ToLowerInvariant();
        return host.Length is > 0 and <= MaxHostLength;
    }
}
