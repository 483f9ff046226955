using System.Net.Sockets;

namespace Mesh.DataPlane.Transports;

/// <summary>Envoy's <c>tcp_keepalive</c>; what is unset is the operating system's.</summary>
/// <param name="Probes">Unanswered probes after which the connection is dead.</param>
/// <param name="Time">Seconds without traffic before the first probe.</param>
/// <param name="Interval">Seconds between probes.</param>
internal sealed record TcpKeepalive(int? Probes, int? Time, int? Interval)
{
    public void Apply(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        Set(SocketOptionName.TcpKeepAliveRetryCount, Probes);
        Set(SocketOptionName.TcpKeepAliveTime, Time);
        Set(SocketOptionName.TcpKeepAliveInterval, Interval);

        void Set(SocketOptionName option, int? value)
        {
            if (value is > 0)
            {
                socket.SetSocketOption(SocketOptionLevel.Tcp, option, value.Value);
            }
        }
    }
}
