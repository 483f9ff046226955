using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server;

/// <summary>What a server listens on, as others can reach it.</summary>
internal static class ListeningAddresses
{
    /// <summary>
    /// Addresses by port name: the first of each scheme by the scheme's own, by which the control plane finds the service port, as it does by number, or
    /// because there is but one. Those on which the application speaks TLS of its own are for services that say so.
    /// </summary>
    /// <param name="listening">As the server states them: <c>http://127.0.0.1:5000</c>, <c>https://[::]:443</c>.</param>
    /// <param name="anyAddress">Stands for "every interface".</param>
    public static IReadOnlyDictionary<string, string> ByPortName(IEnumerable<string> listening, IPAddress anyAddress)
    {
        var addresses = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in listening)
        {
            var address = BindingAddress.Parse(text);

            // A pipe or a socket file is nobody's on another machine.
            var scheme = address.Scheme.ToLowerInvariant();
            if (address.IsUnixPipe || address.IsNamedPipe || scheme is not ("http" or "https"))
            {
                continue;
            }

            var reachable = new IPEndPoint(Reachable(address.Host, anyAddress), address.Port).ToString();
            if (!addresses.ContainsValue(reachable))
            {
                addresses.Add(addresses.ContainsKey(scheme) ? $"{scheme}-{address.Port}" : scheme, reachable);
            }
        }

        return addresses;
    }

    /// <summary>The address of this machine that others are likely to reach, or loopback when there is no network.</summary>
    public static IPAddress OfThisMachine()
        => NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !a.IsIPv6LinkLocal)
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .FirstOrDefault(IPAddress.Loopback);

    private static IPAddress Reachable(string host, IPAddress anyAddress)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return IPAddress.Loopback;
        }

        // "*", "+" and any other name mean every interface to Kestrel.
        return IPAddress.TryParse(host, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address : anyAddress;
    }
}
