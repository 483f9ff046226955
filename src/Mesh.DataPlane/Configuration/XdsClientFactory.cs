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
    /// <summary>What settings and bootstrap say; read once, since it also tells this process from others.</summary>
    public static XdsBootstrap LoadBootstrap(IServiceProvider services)
    {
        // A control plane in this process leaves nothing to connect to, and nothing for a bootstrap to say.
        var isInProcess = services.GetService<IAdsTransport>() is not null;
        return XdsBootstrap.Load(
            services.GetRequiredService<IOptions<MeshOptions>>().Value,
            name => isInProcess && name.StartsWith("GRPC_XDS_", StringComparison.Ordinal) ? null : Environment.GetEnvironmentVariable(name));
    }

    public static IXdsClient Create(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<MeshOptions>>().Value;
        var time = services.GetRequiredService<TimeProvider>();

        var inProcess = services.GetService<IAdsTransport>();
        var bootstrap = services.GetRequiredService<XdsBootstrap>();
        var credentials = new ControlPlaneCredentials(services, options);
        IReadOnlyList<XdsServer> servers = inProcess is not null
            ? [new XdsServer(inProcess)]
            : [.. bootstrap.Servers.Select(s => s.CreateServer(time, options.Xds.KeepAliveInterval, credentials.TokenFor(s), credentials.Certificate, credentials.Roots))];
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
                AreReplicas = options.Xds.AlternateServers.Count > 0,
                TimeProvider = time,
                Random = services.GetRequiredService<IRandomSource>(),
                Logger = services.GetService<ILogger<XdsClient>>() ?? NullLogger<XdsClient>.Instance,
            });
    }
}
