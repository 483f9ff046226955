using System.Net;
using System.Text.Json;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Callers;

/// <summary>The real control plane on a real port, fed with Istio YAML from a folder.</summary>
internal sealed class ControlPlaneHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private ControlPlaneHost(WebApplication app, string folder, Refusals refusals)
    {
        _app = app;
        _folder = folder;
        Refusals = refusals;
    }

    /// <summary>Every NACK that the server has got, in words.</summary>
    public Refusals Refusals { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Where it listens.</summary>
    public string Authority => new Uri(_app.Urls.Single()).Authority;

    public IAdsServer Server => _app.Services.GetRequiredService<IAdsServer>();

    public static async Task<ControlPlaneHost> StartAsync(string yaml, Action<Mesh.ControlPlane.MeshControlPlaneOptions>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("mesh-peers-").FullName;
        var documents = Path.Combine(folder, "mesh");
        Directory.CreateDirectory(documents);
        await File.WriteAllTextAsync(Path.Combine(documents, "mesh.yaml"), yaml);

        var refusals = new Refusals();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(refusals);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(IPAddress.Loopback, 0));
        builder.Services.AddMeshControlPlane(options =>
        {
            options.ConfigFolder = documents;
            configure?.Invoke(options);
        });
        var app = builder.Build();
        app.MapMeshXds();
        await app.StartAsync();
        return new ControlPlaneHost(app, folder, refusals);
    }

    /// <summary>What gRPC's xDS clients are started with.</summary>
    public IReadOnlyDictionary<string, string> Bootstrap(string nodeId)
    {
        var file = Path.Combine(_folder, $"{nodeId}.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new
        {
            xds_servers = new[]
            {
                new
                {
                    server_uri = new Uri(_app.Urls.Single()).Authority,
                    channel_creds = new[] { new { type = "insecure" } },
                    server_features = new[] { "xds_v3" },
                },
            },

            // grpc-js refuses a bootstrap without locality.
            node = new { id = nodeId, cluster = "peers", locality = new { region = "here" } },
        }));
        return new Dictionary<string, string> { ["GRPC_XDS_BOOTSTRAP"] = file };
    }

    /// <summary>What a gRPC server with xDS credentials is started with: Istio's template of names, and certificates in files.</summary>
    public IReadOnlyDictionary<string, string> ServerBootstrap(string nodeId, string app, GuardedServers.MeshCertificates certificates)
    {
        var file = Path.Combine(_folder, $"{nodeId}.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new
        {
            xds_servers = new[]
            {
                new
                {
                    server_uri = new Uri(_app.Urls.Single()).Authority,
                    channel_creds = new[] { new { type = "insecure" } },
                    server_features = new[] { "xds_v3" },
                },
            },
            node = new { id = nodeId, cluster = "peers", locality = new { region = "here" }, metadata = new { GENERATOR = "grpc", NAMESPACE = "default", LABELS = new { app } } },
            server_listener_resource_name_template = "xds.istio.io/grpc/lds/inbound/%s",
            certificate_providers = new
            {
                @default = new
                {
                    plugin_name = "file_watcher",
                    config = new
                    {
                        certificate_file = certificates.CertificateOf(app),
                        private_key_file = certificates.KeyOf(app),
                        ca_certificate_file = certificates.Authority,
                        refresh_interval = "600s",
                    },
                },
            },
        }));
        return new Dictionary<string, string> { ["GRPC_XDS_BOOTSTRAP"] = file };
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
