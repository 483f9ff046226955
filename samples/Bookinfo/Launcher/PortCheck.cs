using System.Net;
using System.Net.Sockets;

namespace Bookinfo.Launcher;

/// <summary>Tells before anything is started that a port is taken.</summary>
internal static class PortCheck
{
    /// <summary>One line that says what to do, or <see langword="null"/> when the port is free.</summary>
    public static string? Problem(int port, string service, string option, int suggestion)
    {
        if (port == 0)
        {
            return null;
        }

        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6)
            {
                continue;
            }

            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address, port));
                socket.Listen();
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                return $"Port {port} is already in use, and {service} wants it. Stop what listens there, or choose another: {option} {suggestion}";
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
            {
                return $"Port {port} may not be opened by this user, and {service} wants it. Choose another: {option} {suggestion}";
            }
            catch (SocketException) when (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                // A machine with IPv6 in the kernel but no [::1]; the server skips it, too.
            }
        }

        return null;
    }
}
