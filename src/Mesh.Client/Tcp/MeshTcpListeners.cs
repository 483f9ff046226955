using System.Net;
using Mesh.DataPlane.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.Tcp;

/// <summary>The listeners of this process.</summary>
internal sealed class MeshTcpListeners(MeshConnector connector, IOptions<MeshOptions> options, TimeProvider time, ILogger<MeshTcpListeners> logger) : IMeshTcpListeners
{
    private LoopbackListener[] _listeners = [];
    private MeshTcpListener[] _all = [];

    public IReadOnlyList<MeshTcpListener> All => Volatile.Read(ref _all);

    public IPEndPoint EndPointOf(string service)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(service);
        return All.FirstOrDefault(listener => string.Equals(listener.Service, service, StringComparison.OrdinalIgnoreCase))?.LocalEndPoint
            ?? throw new InvalidOperationException(
                options.Value.Client.TcpListeners.Any(o => string.Equals(o.Service, service, StringComparison.OrdinalIgnoreCase))
                    ? $"The listener for {service} is there when the application has started, and until it stops."
                    : $"No listener is for {service}; add {{ \"Service\": \"{service}\" }} to Mesh:Client:TcpListeners.");
    }

    /// <exception cref="IOException">One of them cannot listen; none does then.</exception>
    public void Start()
    {
        var listeners = new List<LoopbackListener>();
        try
        {
            foreach (var (listener, i) in options.Value.Client.TcpListeners.Select((o, i) => (o, i)))
            {
                HostNames.TryParse(listener.Service, out var service);
                listeners.Add(new LoopbackListener(listener, $"Mesh:Client:TcpListeners:{i}", service, connector, time, logger));
            }
        }
        catch
        {
            foreach (var listener in listeners)
            {
                listener.Dispose();
            }

            throw;
        }

        _listeners = [.. listeners];
        Volatile.Write(ref _all, [.. listeners.Select(l => new MeshTcpListener(l.Options.Service, l.LocalEndPoint))]);
        foreach (var listener in listeners)
        {
            listener.Start();
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _all, []);
        await Task.WhenAll(_listeners.Select(listener => listener.StopAsync(cancellationToken))).ConfigureAwait(false);
        _listeners = [];
    }
}
