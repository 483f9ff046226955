using System.Net;
using Bookinfo.Hosting;

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

        // One port for gRPC, which is HTTP/2, and one for people, meshctl and Prometheus.
        var (xds, monitoring) = (PlaceOf(options.Url, "--url"), PlaceOf(options.Monitoring, "--monitoring"));
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, "");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenMeshXds(xds.Address, xds.Port);
            kestrel.ListenMeshMonitoring(monitoring.Address, monitoring.Port);
        });
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
        app.MapMeshMonitoring();
        ServiceHost.ReportAddress(app, options);
        return app;
    }

    private static IPEndPoint PlaceOf(string url, string option)
        => Uri.TryCreate(url, UriKind.Absolute, out var uri) && (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) || (address = uri.IsLoopback ? IPAddress.Loopback : null) is not null)
            ? new IPEndPoint(address, uri.Port)
            : throw new ArgumentException($"{option} is '{url}'; give http://<IP address>:<port>.");
}
