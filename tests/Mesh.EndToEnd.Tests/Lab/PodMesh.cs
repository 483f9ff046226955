using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using LabApps;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Mesh.Testing;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>
/// YAML in, sockets out: pods are servers on ports of their own, which the mesh knows by WorkloadEntry documents; callers are applications with
/// <c>AddMeshClient()</c>. Control plane, protocol, engine and network are real; time and chance are the test's.
/// </summary>
internal sealed class PodMesh : IAsyncDisposable
{
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(30);

    private readonly InMemoryConfigSource _source;
    private readonly ServiceProvider _controlPlane;
    private readonly Mesh.Testing.Settlement _settlement;
    private readonly EngineRegistry _engines = new();
    private readonly IRandomSource _random;
    private readonly OutsideNet? _outside;
    private readonly bool _reportsLoad;
    private readonly List<ServiceProvider> _callers = [];
    private readonly List<Pod> _pods = [];
    private readonly List<WebApplication> _apps = [];

    private PodMesh(IRandomSource? random, Action<Mesh.ControlPlane.MeshControlPlaneOptions>? configure, OutsideNet? outside, bool reportsLoad)
    {
        _outside = outside;
        _reportsLoad = reportsLoad;
        _random = random ?? new Mesh.Testing.SeededRandomSource(20_261_121);
        _source = new InMemoryConfigSource(Time);
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(Log.For("control plane")));
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<IConfigSource>(_source);
        services.AddMeshControlPlane(options =>
        {
            // Nothing here waits for a clock that stands still.
            options.PushDebounce = TimeSpan.Zero;
            options.PushDebounceMax = TimeSpan.Zero;
            options.RegistrationsFile = "";
            configure?.Invoke(options);
        });
        _controlPlane = services.BuildServiceProvider();
        Discovery = _controlPlane.GetRequiredService<DiscoveryServer>();
        _settlement = new Mesh.Testing.Settlement(Discovery, _controlPlane.GetRequiredService<IAdsServer>(), _engines);
    }

    public ManualTimeProvider Time { get; } = new();

    public TestLog Log { get; } = new();

    public DiscoveryServer Discovery { get; }

    /// <summary>What the control plane is made of.</summary>
    public IServiceProvider ControlPlane => _controlPlane;

    /// <summary>The control plane's streams.</summary>
    public IAdsServer Server => _controlPlane.GetRequiredService<IAdsServer>();

    /// <summary>The engines of the callers, the first of them first.</summary>
    public IReadOnlyList<MeshEngine> Engines => _engines.All;

    /// <summary>What the control plane has to say about the documents that apply.</summary>
    public IReadOnlyList<string> Diagnostics => [.. _controlPlane.GetRequiredService<IConfigStore>().Diagnostics.Select(diagnostic => diagnostic.ToString())];

    /// <summary>Starts a mesh with these documents, which must be without fault.</summary>
    /// <param name="yaml">The documents.</param>
    /// <param name="random">The chance of all.</param>
    /// <param name="configure">The control plane's settings.</param>
    /// <param name="outside">The world in which the mesh lies, where there is one: its names are resolved and its authority is trusted.</param>
    /// <param name="reportsLoad">Callers report their load, which takes a timer of each.</param>
    public static async Task<PodMesh> StartAsync(
        string yaml, IRandomSource? random = null, Action<Mesh.ControlPlane.MeshControlPlaneOptions>? configure = null, OutsideNet? outside = null, bool reportsLoad = false)
    {
        var mesh = new PodMesh(random, configure, outside, reportsLoad);
        await mesh.ApplyAsync(yaml);
        return mesh;
    }

    /// <summary>Applies documents as <c>kubectl apply</c> does; completes when every caller follows.</summary>
    public async Task ApplyAsync(string yaml)
    {
        _source.Apply(yaml).Where(diagnostic => diagnostic.Severity == ConfigSeverity.Error).ShouldBeEmpty();
        await SettleAsync();
    }

    /// <summary>Applies documents that are at fault, which changes nothing: what is said of them.</summary>
    public IReadOnlyList<string> Refusals(string yaml)
        => [.. _source.Apply(yaml).Where(diagnostic => diagnostic.Severity == ConfigSeverity.Error).Select(diagnostic => diagnostic.ToString())];

    /// <summary>Removes a document; completes when every caller follows.</summary>
    public async Task DeleteAsync(string kind, string name, string @namespace = "default")
    {
        _source.Delete(kind, @namespace, name).ShouldBeTrue();
        await SettleAsync();
    }

    /// <summary>Starts a pod and makes it known.</summary>
    /// <param name="app">Its label <c>app</c>.</param>
    /// <param name="version">Its label <c>version</c>.</param>
    /// <param name="answer">What it does; by default it answers with its name.</param>
    /// <param name="locality">Where it runs: <c>region/zone/subzone</c>.</param>
    /// <param name="port">What services call its port: <c>http</c>, or <c>http2</c> for one that speaks nothing else.</param>
    public async Task<Pod> AddPodAsync(string app, string version = "v1", RequestDelegate? answer = null, string? locality = null, string port = "http")
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{app}-{version}-{_pods.Count}");
        var pod = await Pod.StartAsync(name, version, answer, port == "http2" ? HttpProtocols.Http2 : HttpProtocols.Http1);
        _pods.Add(pod);
        await ApplyAsync($$"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: {{name}}}
            spec:
              address: 127.0.0.1
              ports: { {{port}}: {{pod.Port}} }
              labels: {app: {{app}}, version: {{version}}}
              locality: {{locality ?? "\"\""}}
            """);
        return pod;
    }

    /// <summary>Takes a pod out, as when it is deleted.</summary>
    public async Task RemovePodAsync(Pod pod)
    {
        await DeleteAsync("WorkloadEntry", pod.Name);
        await pod.StopAsync();
    }

    /// <summary>Starts one of the labs' own applications, with the mesh switched on in it, and makes it known.</summary>
    /// <param name="app">Its name, which is its label <c>app</c> too.</param>
    /// <param name="version">Its label <c>version</c>.</param>
    /// <param name="settings">What else it is told, as on a command line.</param>
    /// <returns>Its address.</returns>
    public async Task<Uri> AddAppAsync(string app, string version = "v1", params string[] settings)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{app}-{version}-{_apps.Count}");
        var web = LabApp.All[app].Build(["--Mesh:Workload:Version", version, .. settings], builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
            builder.Logging.ClearProviders().AddProvider(Log.For(name));
            builder.Services.AddSingleton<IStartupFilter>(new VersionFilter(version));
            // A pod like the others, but for its client: at the door of a workload requests would draw from the chance of all.
            AddMesh(builder.Services, _random, options => (options.Server.Register, options.Server.Inbound) = (false, false));
        });
        _apps.Add(web);
        _engines.Add(web.Services.GetRequiredService<MeshEngine>());
        await web.StartAsync().OrHang();
        var address = new Uri(web.Urls.Single());
        await ApplyAsync($$"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: {{name}}}
            spec:
              address: 127.0.0.1
              ports: { http: {{address.Port}} }
              labels: {app: {{app}}, version: {{version}}}
            """);
        return address;
    }

    /// <summary>Starts an application with the whole mesh in it: it registers itself, proves who it is, and is served by policy.</summary>
    /// <param name="app">Its label <c>app</c>.</param>
    /// <param name="answer">What it does; by default it answers with its name.</param>
    /// <param name="version">Its label <c>version</c>.</param>
    /// <param name="namespace">Its namespace.</param>
    /// <param name="account">Its service account.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="https">The certificate of an application that speaks TLS of its own.</param>
    /// <param name="listen">How it listens, where it has more to say of that.</param>
    /// <param name="labels">Its other labels.</param>
    public Task<MeshPod> AddMeshPodAsync(
        string app,
        RequestDelegate? answer = null,
        string version = "v1",
        string @namespace = "default",
        string account = "default",
        Action<MeshOptions>? settings = null,
        X509Certificate2? https = null,
        Action<ListenOptions>? listen = null,
        params (string Name, string Value)[] labels)
        => StartAsync(app, version, @namespace, account, configure =>
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.AddMesh(mesh =>
            {
                settings?.Invoke(mesh);
                mesh.Workload.Name = app;
                foreach (var (name, value) in labels)
                {
                    mesh.Workload.Labels[name] = value;
                }
            });
            builder.Services.AddHttpClient("insecure").ConfigurePrimaryHttpMessageHandler(
                () => new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
            if (https is not null)
            {
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.UseHttps(https)));
            }

            if (listen is not null)
            {
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen));
            }

            configure(builder);
            var web = builder.Build();
            web.Run(answer ?? LabPods.Text(app));
            return web;
        });

    /// <summary>Starts one of the labs' own applications as <see cref="AddMeshPodAsync"/> does.</summary>
    /// <param name="app">Its name, which is its label <c>app</c> too.</param>
    /// <param name="version">Its label <c>version</c>.</param>
    /// <param name="account">Its service account.</param>
    /// <param name="settings">What else it is told, as on a command line.</param>
    public Task<MeshPod> AddMeshAppAsync(string app, string version = "v1", string account = "default", params string[] settings)
        => StartAsync(app, version, "default", account, configure => LabApp.All[app].Build(["--Mesh:Workload:Version", version, .. settings], configure));

    private async Task<MeshPod> StartAsync(string app, string version, string @namespace, string account, Func<Action<WebApplicationBuilder>, WebApplication> build)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{app}-{version}-{@namespace}-{_apps.Count}");
        var web = build(builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
            builder.Logging.ClearProviders().AddProvider(Log.For(name));
            builder.Services.AddSingleton<IStartupFilter>(new VersionFilter(version));
            builder.Services.AddSingleton(_controlPlane.GetRequiredService<ICertificateIssuer>());
            builder.Services.AddHttpClient("");
            AddMesh(builder.Services, _random, options =>
            {
                options.Workload.Namespace = @namespace;
                options.Workload.Version = version;
                options.Workload.ServiceAccount = account;
                options.Admin.Port = 0;
            });
        });
        _apps.Add(web);
        _engines.Add(web.Services.GetRequiredService<MeshEngine>());
        await web.StartAsync().OrHang();
        await WhenRegisteredAsync(app, version, @namespace);
        await SettleAsync();
        return new MeshPod(web, name);
    }

    private async Task WhenRegisteredAsync(string app, string version, string @namespace)
    {
        var registry = _controlPlane.GetRequiredService<ServiceRegistry>();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(string id, WorkloadInstance? workload)
        {
            if (registry.Current.Values.Any(known => known.Namespace == @namespace && known.Labels.GetValueOrDefault("app") == app && known.Labels.GetValueOrDefault("version") == version))
            {
                reached.TrySetResult();
            }
        }

        registry.Changed += Check;
        try
        {
            Check("", null);
            await reached.Task.OrHang();
        }
        finally
        {
            registry.Changed -= Check;
        }
    }

    /// <summary>A client of an application in this mesh.</summary>
    /// <param name="workload">The application.</param>
    /// <param name="random">Its chance, where it is not that of all.</param>
    /// <param name="configure">Its settings.</param>
    public HttpClient Caller(MeshWorkload? workload = null, IRandomSource? random = null, Action<MeshOptions>? configure = null)
    {
        var client = Application(workload, random, configure).GetRequiredService<IHttpClientFactory>().CreateClient();
        client.Timeout = Guard.Hang;
        return client;
    }

    /// <summary>An application in this mesh, for what is not a client of requests.</summary>
    /// <param name="workload">The application.</param>
    /// <param name="random">Its chance, where it is not that of all.</param>
    /// <param name="configure">Its settings.</param>
    public IServiceProvider Application(MeshWorkload? workload = null, IRandomSource? random = null, Action<MeshOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(Log.For(workload?.Name ?? "caller")));
        services.AddMeshClient(options => options.Workload = workload ?? new MeshWorkload("caller"));
        AddMesh(services, random ?? _random, configure);
        services.AddHttpClient("");
        var provider = services.BuildServiceProvider();
        _callers.Add(provider);
        _engines.Add(provider.GetRequiredService<MeshEngine>());
        return provider;
    }

    /// <summary>
    /// Carries a request through the waits between its attempts: the clock runs until it is answered, and stands still again. It runs no faster than the one
    /// on the wall, by which connections are made.
    /// </summary>
    public async Task<LabAnswer> ThroughBackOffsAsync(Task<LabAnswer> asking)
    {
        while (!asking.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.WhenAny(asking, Task.Delay(1));
        }

        return await asking;
    }

    /// <summary>Completes when all that was applied is in force everywhere; fails when a caller refused a part, or left something out.</summary>
    public async Task SettleAsync()
    {
        Discovery.Apply();
        await _settlement.WaitAsync(SettleTimeout, CancellationToken.None);
        _settlement.ThrowIfRefused();
        Log.Lines.Where(line => line.Contains("is applied without", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var caller in _callers)
        {
            await caller.DisposeAsync().AsTask().OrHang("the end of a caller");
        }

        foreach (var app in _apps)
        {
            await app.DisposeAsync().AsTask().OrHang("the end of an application");
        }

        await _controlPlane.DisposeAsync().AsTask().OrHang("the end of the control plane");
        foreach (var pod in _pods)
        {
            await pod.DisposeAsync().AsTask().OrHang($"the end of {pod.Name}");
        }
    }

    private void AddMesh(IServiceCollection services, IRandomSource random, Action<MeshOptions>? configure)
    {
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(random);
        services.AddSingleton<IAdsTransport>(_ => new InProcessAdsTransport(
            _controlPlane.GetRequiredService<IAdsServer>(), "the mesh of the lab", _reportsLoad ? _controlPlane.GetRequiredService<ILoadReportServer>() : null));
        services.AddMeshClient(options =>
        {
            options.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly;
            if (_outside is not null)
            {
                options.Client.DnsServers.Add(_outside.DnsAddress);
            }

            configure?.Invoke(options);
        });
        if (_outside is not null)
        {
            services.ConfigureHttpClientDefaults(client => client.ConfigurePrimaryHttpMessageHandler(_outside.CreateHandler));
        }
    }
}
