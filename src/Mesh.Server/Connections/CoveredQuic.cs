using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>HTTP/3 at ports of the mesh: policies of connections do not reach QUIC, so nobody comes in by it; clients take TCP.</summary>
internal sealed partial class CoveredQuic(IMultiplexedConnectionListenerFactory inner, IOptions<MeshOptions> options, ILogger<CoveredQuic> logger) : IMultiplexedConnectionListenerFactory
{
    /// <summary>Puts it in the place of what is registered, if anything is: where nothing is there is no HTTP/3, and the server is not to believe otherwise.</summary>
    public static void Replace(IServiceCollection services)
    {
        if (services.LastOrDefault(s => s.ServiceType == typeof(IMultiplexedConnectionListenerFactory) && !s.IsKeyedService) is not { } registered)
        {
            return;
        }

        services.RemoveAll<IMultiplexedConnectionListenerFactory>();
        services.AddSingleton<IMultiplexedConnectionListenerFactory>(p => new CoveredQuic(
            (IMultiplexedConnectionListenerFactory)(registered.ImplementationInstance
                ?? registered.ImplementationFactory?.Invoke(p)
                ?? ActivatorUtilities.CreateInstance(p, registered.ImplementationType!)),
            p.GetRequiredService<IOptions<MeshOptions>>(),
            p.GetRequiredService<ILogger<CoveredQuic>>()));
    }

    public ValueTask<IMultiplexedConnectionListener> BindAsync(EndPoint endpoint, IFeatureCollection? features = null, CancellationToken cancellationToken = default)
    {
        var server = options.Value.Server;
        if (!server.Inbound || endpoint is OwnEndPoint || (endpoint is IPEndPoint ip && server.AllowUnmeshed.Contains(ip.Port)))
        {
            return inner.BindAsync(endpoint, features, cancellationToken);
        }

        Log.NoQuic(logger, endpoint);
        return ValueTask.FromResult<IMultiplexedConnectionListener>(new ClosedListener(endpoint));
    }

    /// <summary>Nobody comes.</summary>
    private sealed class ClosedListener(EndPoint endPoint) : IMultiplexedConnectionListener
    {
        private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint { get; } = endPoint;

        public async ValueTask<MultiplexedConnectionContext?> AcceptAsync(IFeatureCollection? features = null, CancellationToken cancellationToken = default)
        {
            await _unbound.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "HTTP/3 is not served at {EndPoint}: the mesh cannot tell by QUIC who connects. Name the port in Mesh:Server:AllowUnmeshed to serve it without the mesh.")]
        public static partial void NoQuic(ILogger logger, EndPoint endPoint);
    }
}
