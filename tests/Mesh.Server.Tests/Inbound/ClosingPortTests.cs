using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Inbound;
using Mesh.Server.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Server.Tests.Inbound;

/// <summary>A port that closes while somebody is on the way in.</summary>
public sealed class ClosingPortTests
{
    [Fact]
    public async Task Whoever_turns_round_in_the_moment_in_which_the_port_closes_holds_no_server_up()
    {
        await using var app = await InboundApp.StartAsync();
        using var socket = new ClosingSocket();
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var endPoint = (IPEndPoint)socket.LocalEndPoint!;
        var services = app.App.Services;
        await using var listener = new MeshListener(
            socket,
            endPoint,
            services.GetRequiredService<InboundPorts>().Add(endPoint),
            services.GetRequiredService<InboundAdmission>(),
            new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), NullLogger.Instance),
            new SocketTransportOptions(),
            NullLogger.Instance);
        app.Set(Listeners.Permissive(endPoint, app.Tls()));
        await using var caller = await MeshCaller.ConnectAsync(endPoint.Port);
        await app.UntilAsync(() => listener.Pending == 1);
        var accepting = listener.AcceptAsync().AsTask();
        socket.Closed = () =>
        {
            caller.Dispose();
            SpinWait.SpinUntil(() => listener.Pending == 0, TimeSpan.FromSeconds(30)).ShouldBeTrue();
        };

        await listener.UnbindAsync();

        (await accepting.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeNull();
    }

    /// <summary>Tells when nobody can connect any more, before whoever closes it goes on.</summary>
    private sealed class ClosingSocket() : Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        public Action? Closed { get; set; }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            Closed?.Invoke();
        }
    }
}
