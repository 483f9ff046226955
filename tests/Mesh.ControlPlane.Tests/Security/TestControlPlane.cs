using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>A control plane as applications get it, with a clock of the test's own.</summary>
internal sealed class TestControlPlane : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public TestControlPlane(Action<MeshControlPlaneOptions>? configure = null, ManualTimeProvider? time = null, string? environment = null)
    {
        Time = time ?? new ManualTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddLogging(logging => logging.AddProvider(Logs).SetMinimumLevel(LogLevel.Trace));
        if (environment is not null)
        {
            services.AddSingleton<IHostEnvironment>(new TestEnvironment { EnvironmentName = environment });
        }

        services.AddMeshControlPlane(options =>
        {
            options.CertificateAuthority.Folder ??= "";
            configure?.Invoke(options);
        });
        _services = services.BuildServiceProvider();
    }

    public ManualTimeProvider Time { get; }

    public RecordedLogs Logs { get; } = new();

    public ICertificateIssuer Issuer => _services.GetRequiredService<ICertificateIssuer>();

    public IMeshCertificateAuthority Authority => _services.GetRequiredService<IMeshCertificateAuthority>();

    public IServerCertificateSource ServerCertificate => _services.GetRequiredService<IServerCertificateSource>();

    public RoleBindings Roles => _services.GetRequiredService<RoleBindings>();

    public IAdsServer Ads => _services.GetRequiredService<IAdsServer>();

    public DiscoveryServer Discovery
    {
        get
        {
            _ = Ads;
            return _services.GetRequiredService<DiscoveryServer>();
        }
    }

    public Mesh.ControlPlane.Registry.ServiceRegistry Registry => _services.GetRequiredService<Mesh.ControlPlane.Registry.ServiceRegistry>();

    public IEnumerable<string> Audit => Logs.Of(AuditLog.Category);

    /// <summary>What happens when an application starts.</summary>
    public async Task StartAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await service.StartingAsync(CancellationToken.None);
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class TestEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "";

        public string ApplicationName { get; set; } = "test";

        public string ContentRootPath { get; set; } = Path.GetTempPath();

        public Microsoft.Extensions.FileProviders.IFileProvider ContentRootFileProvider { get; set; } = new Microsoft.Extensions.FileProviders.NullFileProvider();
    }
}
