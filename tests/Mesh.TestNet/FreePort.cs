using System.Net;
using System.Net.Sockets;

namespace Mesh.TestNet;

/// <summary>
/// Ports that stay free until a test opens them. One that the system has given and got back is the next one that it may give to somebody else, in this
/// process or in another; these are of a range that it gives to nobody (IANA's registered ports, below what Linux, macOS and Windows take for themselves).
/// </summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    // Processes begin in different places.
    private static int _next = Environment.ProcessId * 97 % Count;

    /// <summary>A port of this machine on which nobody listens, and that no other call in this process gets.</summary>
    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + ((Interlocked.Increment(ref _next) & int.MaxValue) % Count);
            if (IsFree(IPAddress.Any, port) && (!Socket.OSSupportsIPv6 || IsFree(IPAddress.IPv6Loopback, port)))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"Of the ports from {First} to {First + Count - 1} none is free.");
    }

    private static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
