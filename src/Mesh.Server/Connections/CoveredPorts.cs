using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>Makes sure, before the server binds anything, that no transport that was registered later would bind its ports beside the mesh.</summary>
internal sealed class CoveredPorts(IServiceProvider services, IOptions<MeshOptions> options) : IStartupFilter
{
    /// <exception cref="InvalidOperationException">One would.</exception>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
        => app =>
        {
            Check();
            next(app);
        };

    private void Check()
    {
        if (!options.Value.Server.Inbound || services.GetService<IServer>()?.GetType().Namespace?.Contains("Kestrel", StringComparison.Ordinal) != true)
        {
            return;
        }

        // Kestrel asks the last one first.
        var binding = services.GetServices<IConnectionListenerFactory>().Last(RegisteredTransport.CanBindPorts);
        if (binding is not MeshListenerFactory)
        {
            throw Bypassed(binding);
        }

        if (services.GetServices<IMultiplexedConnectionListenerFactory>().LastOrDefault() is { } multiplexed and not CoveredQuic)
        {
            throw Bypassed(multiplexed);
        }
    }

    private static InvalidOperationException Bypassed(object factory)
        => new($"{factory.GetType().FullName} was registered after AddMesh() and would accept connections beside the mesh: call AddMesh() after what registers it, or set Mesh:Server:Inbound to false.");
}
