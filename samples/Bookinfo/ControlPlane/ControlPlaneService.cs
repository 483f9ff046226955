using Bookinfo.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bookinfo.ControlPlane;

/// <summary>The control plane of the sample: a folder of YAML in, xDS out.</summary>
internal static class ControlPlaneService
{
    // On one machine a torn stream is a process that died: its endpoint need not be kept for the usual ten seconds.
    private static readonly TimeSpan DisconnectGrace = TimeSpan.FromSeconds(1);

    public static WebApplication Build(ServiceOptions options)
    {
        var folder = options.MeshFolder ?? throw new ArgumentException("control-plane needs --mesh <folder>.");
        var builder = ServiceHost.CreateBuilder(options);

        // xDS is gRPC: HTTP/2 with prior knowledge, as there is no TLS on this port.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddMeshControlPlane(controlPlane =>
        {
            controlPlane.ConfigFolder = folder;
            controlPlane.DisconnectGrace = DisconnectGrace;

            // All processes of the sample start together: what an earlier run knew is of no use, and neither is its root.
            controlPlane.RegistrationsFile = "";
            controlPlane.CertificateAuthority.Folder = "";

            // Whoever runs the sample may have its services' certificates.
            controlPlane.Authentication.AllowLoopback = true;
        });

        var app = builder.Build();
        app.MapMeshXds();
        ServiceHost.ReportAddress(app, options);
        return app;
    }
}
