using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Inbound;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>
/// Binds the TCP ports of the server, however they were opened: what comes in by them is a connection that the mesh has let in. What is no TCP port
/// (sockets of the file system, named pipes) is left to whoever else can bind it.
/// </summary>
internal sealed class MeshListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly InboundAdmission _admission;
    private readonly InboundPorts _ports;
    private readonly MeshServerOptions _options;
    private readonly SocketTransportOptions _transport;
    private readonly SocketConnectionContextFactory _connections;
    private readonly IConnectionListenerFactory _plain;
    private readonly bool _isOwnTransport;
    private readonly ILogger _logger;

    public MeshListenerFactory(
        InboundAdmission admission,
        InboundPorts ports,
        IOptions<MeshOptions> options,
        IOptions<SocketTransportOptions> transport,
        RegisteredTransport registered,
        IServiceProvider services,
        ILoggerFactory loggers)
    {
        (_admission, _ports, _options, _transport) = (admission, ports, options.Value.Server, transport.Value);
        _logger = loggers.CreateLogger<MeshListenerFactory>();
        _plain = registered.Create(services);
        _isOwnTransport = _plain is SocketTransportFactory;
        _connections = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions
            {
                IOQueueCount = _transport.IOQueueCount,
                MaxReadBufferSize = _transport.MaxReadBufferSize,
                MaxWriteBufferSize = _transport.MaxWriteBufferSize,
                UnsafePreferInlineScheduling = _transport.UnsafePreferInlineScheduling,
                WaitForDataBeforeAllocatingBuffer = _transport.WaitForDataBeforeAllocatingBuffer,
            },
            loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));
    }

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or FileHandleEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (!_options.Inbound || endpoint is OwnEndPoint || (endpoint is IPEndPoint ip && _options.AllowUnmeshed.Contains(ip.Port)))
        {
            return _plain.BindAsync(endpoint, cancellationToken);
        }

        if (!_isOwnTransport)
        {
            throw new InvalidOperationException(
                $"The server's transport {_plain.GetType().FullName} accepts connections on {endpoint} beside the mesh, which cannot tell who they are. "
                + "Use Kestrel's sockets, or name the port in Mesh:Server:AllowUnmeshed.");
        }

        var socket = Listen(endpoint);
        if (socket.LocalEndPoint is not IPEndPoint bound)
        {
            // A handle that was inherited may be of a socket of the file system.
            socket.Dispose();
            return _plain.BindAsync(endpoint, cancellationToken);
        }

        if (_options.AllowUnmeshed.Contains(bound.Port))
        {
            socket.Dispose();
            return _plain.BindAsync(endpoint, cancellationToken);
        }

        return ValueTask.FromResult<IConnectionListener>(new MeshListener(socket, bound, _ports.Add(bound), _admission, _connections, _transport, _logger));
    }

    private Socket Listen(EndPoint endpoint)
    {
        Socket socket;
        try
        {
            socket = _transport.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }

        socket.Listen(_transport.Backlog);
        return socket;
    }
}
