using System.Net;

namespace Mesh.DataPlane.Hosts;

/// <summary>Tells the mesh's own names, which must never fall through to DNS, from the rest of the world.</summary>
internal sealed class MeshDomains(string clusterDomain)
{
    private readonly string _qualified = ".svc." + clusterDomain;

    /// <summary>An unqualified name, <c>*.svc</c> or <c>*.svc.&lt;cluster domain&gt;</c>.</summary>
    public bool Contains(string host)
    {
        // A name that ends with a dot is the same name, only absolute.
        var name = host.AsSpan().TrimEnd('.');
        return !name.Contains('.')
            || name.EndsWith(".svc", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(_qualified, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>This machine, and addresses that are already resolved: there is no name to route by.</summary>
    public static bool IsAddress(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || ((char.IsAsciiDigit(host[0]) || host[0] == '[' || host.Contains(':')) && IPAddress.TryParse(host, out _));
}
