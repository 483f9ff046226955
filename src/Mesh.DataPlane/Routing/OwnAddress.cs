using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.Routing;

/// <summary>The address by which others see this process: what a sidecar would see its application come from.</summary>
internal static class OwnAddress
{
    private static readonly Lazy<IPAddress> _address = new(Find);
    private static readonly Lazy<ulong> _hash = new(() => XxHash64.Hash(Address.ToString()));

    public static IPAddress Address => _address.Value;

    public static ulong Hash => _hash.Value;

    // Pods and containers have one; of several the first of an interface that is up, IPv4 before IPv6.
    public static IPAddress Find()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces()
                .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address)
                .Where(a => !a.IsIPv6LinkLocal)
                .OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
                .FirstOrDefault(IPAddress.Loopback);
        }
        catch (NetworkInformationException)
        {
            return IPAddress.Loopback;
        }
    }
}
