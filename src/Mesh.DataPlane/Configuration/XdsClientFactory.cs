using Mesh.Xds.Ads;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Configuration;

/// <summary>Makes the ADS client of a process from its settings, its bootstrap, and a control plane in the same process if there is one.</summary>
internal static class XdsClientFactory
{
    public static IXdsClient Create(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<MeshOptions>>().Value;
        var time = services.GetRequiredService<TimeProvider>();
        var bootstrap = XdsBootstrap.Load(options, Environment.GetEnvironmentVariable);

        // A control plane in this process leaves nothing to connect to.
        IReadOnlyList<XdsServer> servers = services.GetService<IAdsTransport>() is { } inProcess
            ? [new XdsServer(inProcess)]
            : [.. bootstrap.Servers.Select(s => s.CreateServer(time, options.Xds.KeepAliveInterval))];
        if (servers.Count == 0)
        {
            throw new InvalidOperationException(
                "The mesh has no control plane: set Mesh:Xds:Server (for example http://localhost:15010), name a bootstrap file in GRPC_XDS_BOOTSTRAP, "
                + "or call LoadFromIstio(folder) on what AddMesh() returns.");
        }

        return new XdsClient(
            servers,
            new XdsClientOptions
            {
                Node = bootstrap.Node,
                Delta = options.Xds.Delta,
                ResourceTimeout = options.Xds.ResourceTimeout,
                TimeProvider = time,
                Random = services.GetRequiredService<IRandomSource>(),
                Logger = services.GetService<ILogger<XdsClient>>() ?? NullLogger<XdsClient>.Instance,
            });
    }
}
