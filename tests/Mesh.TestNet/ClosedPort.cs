using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mesh.TestNet;

/// <summary>
/// A port at which nobody listens, now or later: it is bound without being listened at, so that connections are refused, and kept until the process
/// ends, so that no other test is given it.
/// </summary>
public static class ClosedPort
{
    private static readonly ConcurrentBag<Socket> Kept = [];

    /// <summary>A port of 127.0.0.1 that has not been given out before.</summary>
    public static int Take()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Kept.Add(socket);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
