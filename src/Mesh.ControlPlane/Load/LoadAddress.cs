using System.Globalization;
using System.Net;
using Envoy.Config.Core.V3;

namespace Mesh.ControlPlane.Load;

/// <summary>An endpoint's address as text: <c>10.0.0.1:80</c>, <c>[::1]:80</c>, <c>unix:///path</c>.</summary>
internal static class LoadAddress
{
    public static string? Of(Address? address)
        => address?.AddressCase switch
        {
            Address.AddressOneofCase.SocketAddress => Of(address.SocketAddress.Address, address.SocketAddress.PortValue),
            Address.AddressOneofCase.Pipe => "unix://" + address.Pipe.Path,
            _ => null,
        };

    public static string Of(string host, uint port)
        => IPAddress.TryParse(host, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            ? string.Create(CultureInfo.InvariantCulture, $"[{host}]:{port}")
            : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
}
