using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Listener.V3;
using Mesh.Client.Tests;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Testing;
using Mesh.TestNet;
using Mesh.Xds.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Tests.Inbound;

/// <summary>An application on Kestrel whose ports the mesh covers, and a control plane that says what a test tells it to.</summary>
internal sealed class InboundApp : IAsyncDisposable
{
    private InboundApp(WebApplication app, ScriptedXdsClient xds, RecordedLogs logs, TestCertificateAuthority authority)
        => (App, Xds, Logs, Authority) = (app, xds, logs, authority);

    public WebApplication App { get; }

    public ScriptedXdsClient Xds { get; }

    public RecordedLogs Logs { get; }

    public TestCertificateAuthority Authority { get; }

    public ManualTimeProvider Time { get; private init; } = null!;

    public int Port => EndPoints[0].Port;

    /// <summary>What is covered, in the order of the server's addresses.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. App.Urls.Select(u => BindingAddress.Parse(u)).Select(a => new IPEndPoint(IPAddress.TryParse(a.Host, out var ip) ? ip : IPAddress.Loopback, a.Port))];

    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>The refusals that were told of.</summary>
    public IReadOnlyList<string> Refusals => [.. Logs.Lines.Where(l => l.Contains("is refused:", StringComparison.Ordinal))];

    public static async Task<InboundApp> StartAsync(
        Action<WebApplicationBuilder>? before = null,
        Action<MeshOptions>? mesh = null,
        Action<WebApplicationBuilder>? after = null,
        Action<WebApplication>? pipeline = null,
        bool manualTime = false)
    {
        var xds = new ScriptedXdsClient();
        var logs = new RecordedLogs();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        if (before is null)
        {
            builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        }

        before?.Invoke(builder);
        var time = new ManualTimeProvider();
        if (manualTime)
        {
            builder.Services.AddSingleton<TimeProvider>(time);
        }

        builder.Services.AddMesh(options =>
        {
            options.Server.Inbound = true;
            options.Server.Register = false;
            mesh?.Invoke(options);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IXdsClient>(xds));
        after?.Invoke(builder);
        var app = builder.Build();
        pipeline?.Invoke(app);
        app.MapGet("/who", (HttpContext context) =>
        {
            var peer = context.Features.Get<IMeshPeerFeature>();
            return $"{context.Request.Protocol} {context.Request.Scheme} {peer?.Identity?.ToString() ?? "nobody"} {(peer?.IsMutualTls == true ? "mtls" : "plain")}";
        });
        app.MapPost("/echo", async (HttpContext context) => await context.Request.Body.CopyToAsync(context.Response.Body));
        await app.StartAsync();
        return new InboundApp(app, xds, logs, new TestCertificateAuthority()) { Time = time };
    }

    public ResourceType<ListenerResource> ListenerType => App.Services.GetRequiredService<DataPlane.MeshEngine>().Filters.Listeners;

    /// <summary>The one covered port.</summary>
    public DataPlane.Inbound.InboundListener Listener => App.Services.GetRequiredService<DataPlane.Inbound.InboundPorts>().Open.ShouldHaveSingleItem();

    public void Set(Listener listener) => Xds.Set(ListenerType, listener);

    public void Set(Envoy.Extensions.TransportSockets.Tls.V3.Secret secret) => Xds.Set(SecretType.Instance, secret);

    public void RemoveListener(string name) => Xds.Remove(ListenerType, name);

    /// <summary>A workload's certificate by the mesh's authority.</summary>
    public X509Certificate2 Workload(string account = "client") => Authority.Issue($"spiffe://cluster.local/ns/default/sa/{account}");

    public Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext Tls(bool requires = true) => Listeners.Tls(Workload("server"), Authority.Pem, requires);

    public void SetStrict() => Set(Listeners.Strict(EndPoint, Tls()));

    public void SetPermissive() => Set(Listeners.Permissive(EndPoint, Tls()));

    /// <summary>Waits for what happens on other threads; the guard bounds a test that fails, and nothing else.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(5, guard.Token);
        }
    }

    /// <summary>The one refusal that there is: TLS tells a client that it failed before the server has told anybody else.</summary>
    public async Task<string> RefusalAsync()
    {
        await UntilAsync(() => Refusals.Count > 0);
        return Refusals.ShouldHaveSingleItem();
    }

    public Task UntilNoConnectionsAsync() => UntilAsync(() => Listener.Connections.Count == 0);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Authority.Dispose();
    }
}
