using System.Net;
using System.Net.Sockets;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Registry;

/// <summary>
/// Whether a workload that is remembered from before a restart is certainly gone: its addresses are on this machine and nobody
/// listens there. Everywhere else a failed connection says nothing, so nothing is tried.
/// </summary>
internal static class LoopbackProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    public static bool IsGone(WorkloadInstance workload) => workload.Addresses.Count > 0 && workload.Addresses.Values.All(IsRefused);

    private static bool IsRefused(NetworkAddress address)
    {
        if (!IPAddress.TryParse(address.Ip, out var ip) || !IPAddress.IsLoopback(ip))
        {
            return false;
        }

        using var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(new IPEndPoint(ip, (int)address.Port));
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // Loopback answers at once; whatever is still under way counts as there.
            return socket.Poll(Patience, SelectMode.SelectWrite) && socket.Poll(TimeSpan.Zero, SelectMode.SelectError);
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }
}
