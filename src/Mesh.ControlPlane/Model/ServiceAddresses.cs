using System.Net;

namespace Mesh.ControlPlane.Model;

/// <summary>The addresses by which clients know a service, in one spelling.</summary>
internal static class ServiceAddresses
{
    /// <summary>IP addresses and CIDRs, each once; a CIDR of one address is that address, and what is no address (<c>None</c>) is left out.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<string> addresses) => [.. addresses.Select(Normalize).OfType<string>().Distinct()];

    private static string? Normalize(string address)
    {
        var slash = address.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? address : address.AsSpan(0, slash), out var ip))
        {
            return null;
        }

        return slash < 0 || address.AsSpan(slash + 1).SequenceEqual(ip.GetAddressBytes().Length == 4 ? "32" : "128") ? ip.ToString() : $"{ip}{address[slash..]}";
    }
}
