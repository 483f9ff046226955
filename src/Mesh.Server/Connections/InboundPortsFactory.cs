using Mesh.DataPlane;
using Mesh.DataPlane.Inbound;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>Makes the covered ports of a process from its settings and its bootstrap.</summary>
internal static class InboundPortsFactory
{
    public static InboundPorts Create(IServiceProvider services)
    {
        var engine = services.GetRequiredService<MeshEngine>();
        var options = services.GetRequiredService<IOptions<MeshOptions>>().Value;
        var ports = new InboundPorts(
            engine.Client,
            engine.Filters,
            engine.Identity,
            engine.Notes,
            new InboundPortSettings(
                options.Xds.ResourceTimeout,
                options.Server.DrainDuration,
                services.GetRequiredService<XdsBootstrap>().ServerListenerResourceNameTemplate ?? InboundPortSettings.DefaultNameTemplate,
                options.Server.EndConnectionsWithCertificate),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<InboundPorts>>());
        ports.Register(services.GetRequiredService<MetricRegistry>());
        engine.Ports = ports;
        return ports;
    }
}
