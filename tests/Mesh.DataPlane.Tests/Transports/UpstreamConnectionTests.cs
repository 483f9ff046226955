using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Transports;

public sealed class UpstreamConnectionTests
{
    private readonly ClusterStats _stats = new();
    private readonly OpenConnections _open = new();

    [Fact]
    public async Task What_this_end_closes_is_counted_here()
    {
        var (connection, server) = await ConnectAsync();
        using (server)
        {
            _stats.ActiveConnections.Value.ShouldBe(1);
            await connection.DisposeAsync();
        }

        (_stats.ClosedHere.Value, _stats.ClosedThere.Value, _stats.ActiveConnections.Value).ShouldBe((1, 0, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_other_end_has_closed_is_counted_there(bool resets)
    {
        var (connection, server) = await ConnectAsync();
        server.LingerState = new LingerOption(resets, 0);
        server.Dispose();
        try
        {
            (await connection.ReadAsync(new byte[1])).ShouldBe(0);
        }
        catch (IOException) when (resets)
        {
        }

        await connection.DisposeAsync();
        await connection.DisposeAsync();
        (_stats.ClosedHere.Value, _stats.ClosedThere.Value, _stats.ActiveConnections.Value).ShouldBe((0, 1, 0));
    }

    private async Task<(UpstreamConnection Connection, Socket Server)> ConnectAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        return (new UpstreamConnection(client, _stats, _open), await listener.AcceptAsync());
    }
}
