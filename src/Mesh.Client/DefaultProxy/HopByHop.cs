namespace Mesh.Client.DefaultProxy;

/// <summary>Header fields that are of one connection and never go on (RFC 9110, section 7.6.1).</summary>
internal static class HopByHop
{
    private static readonly string[] Fields =
    [
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    ];

    public static bool Contains(string field)
    {
        foreach (var name in Fields)
        {
            if (name.Equals(field, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
