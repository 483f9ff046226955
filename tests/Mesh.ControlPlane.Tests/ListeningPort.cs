using System.Net;
using System.Net.Sockets;

namespace Mesh.ControlPlane.Tests;

/// <summary>A port of this machine on which somebody listens.</summary>
internal sealed class ListeningPort : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ListeningPort() => _listener.Start();

    public string Address => _listener.LocalEndpoint.ToString()!;

    public string Number => ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public void Dispose() => _listener.Dispose();
}
