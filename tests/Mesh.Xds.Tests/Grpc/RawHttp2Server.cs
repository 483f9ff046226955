using System.Net;
using System.Net.Sockets;

namespace Mesh.Xds.Tests.Grpc;

/// <summary>Accepts one HTTP/2 connection after another and lets the test write any frame it likes.</summary>
internal sealed class RawHttp2Server : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public RawHttp2Server() => _listener.Start();

    public string Target => $"http://{_listener.LocalEndpoint}";

    public async Task<RawHttp2Connection> AcceptAsync()
    {
        var client = await _listener.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return await RawHttp2Connection.StartAsync(client);
    }

    public void Dispose() => _listener.Dispose();
}
