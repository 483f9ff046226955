namespace Mesh.DataPlane.Tls;

/// <summary>Names in certificates against names of hosts (RFC 6125): a wildcard is the whole first label and stands for one.</summary>
internal static class DnsNames
{
    public static bool Match(ReadOnlySpan<char> pattern, ReadOnlySpan<char> host)
    {
        if (!pattern.StartsWith("*."))
        {
            return pattern.Equals(host, StringComparison.OrdinalIgnoreCase);
        }

        var dot = host.IndexOf('.');
        return dot > 0 && pattern[1..].Contains('.') && host[dot..].Equals(pattern[1..], StringComparison.OrdinalIgnoreCase);
    }
}
