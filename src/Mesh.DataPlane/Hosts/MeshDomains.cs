using System.Diagnostics.CodeAnalysis;
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
        return (!name.Contains('.') && !IsAddress(host, out _))
            || name.EndsWith(".svc", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(_qualified, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>This machine, by name or address: no mesh says what is behind that.</summary>
    public static bool IsThisMachine(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IsAddress(host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsAddress(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return (char.IsAsciiDigit(host[0]) || host[0] == '[' || host.Contains(':')) && IPAddress.TryParse(host, out address);
    }
}
