using System.Net;
using Envoy.Config.Route.V3;
using Mesh.Client.Tests;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.Server.Admin;
using Mesh.Server.Tests.Inbound;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Server.Tests.Admin;

/// <summary>An application with its admin on a port of its own, which calls <c>reviews:9080</c>.</summary>
internal sealed class AdminApp : IAsyncDisposable
{
    public const string Secret = "hush-hush-secret";

    private AdminApp(InboundApp inbound) => Inbound = inbound;

    public InboundApp Inbound { get; }

    public MeshEngine Engine => Inbound.App.Services.GetRequiredService<MeshEngine>();

    public RecordedLogs Logs => Inbound.Logs;

    public IPEndPoint AdminEndPoint => Inbound.App.Services.GetServices<IHostedService>().OfType<AdminServer>().Single().EndPoint!;

    public static async Task<AdminApp> StartAsync(
        Action<MeshOptions>? mesh = null, Action<WebApplicationBuilder>? after = null, Action<WebApplication>? pipeline = null, Action<RouteConfiguration>? routes = null, params string[] clusters)
    {
        var inbound = await InboundApp.StartAsync(
            mesh: options =>
            {
                options.Admin.Port = 0;
                mesh?.Invoke(options);
            },
            after: after,
            pipeline: pipeline);
        var app = new AdminApp(inbound);
        inbound.SetPermissive();
        var configuration = Resources.Routes("9080", Resources.Prefix("/", "outbound|9080||reviews"));
        routes?.Invoke(configuration);
        inbound.Xds.Set(inbound.ListenerType, Resources.Listener("reviews:9080", "9080"));
        inbound.Xds.Set(RouteConfigurationType.Instance, configuration);
        inbound.Xds.Set(ClusterType.Instance, Resources.Cluster("outbound|9080||reviews"));
        inbound.Xds.Set(EndpointsType.Instance, Resources.Endpoints("outbound|9080||reviews", 1001, 1002));
        foreach (var cluster in clusters)
        {
            inbound.Xds.Set(ClusterType.Instance, Resources.Cluster(cluster));
            inbound.Xds.Set(EndpointsType.Instance, Resources.Endpoints(cluster, 1003));
        }

        await app.Engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None);
        return app;
    }

    /// <summary>A caller of the admin's port.</summary>
    public HttpClient Caller() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://{AdminEndPoint}") };

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var caller = Caller();
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await caller.SendAsync(request);
        await response.Content.LoadIntoBufferAsync();
        return response;
    }

    public async Task<string> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(HttpMethod.Get, path, headers);
        var text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue($"{path}: {(int)response.StatusCode} {text}");
        return text;
    }

    public ValueTask DisposeAsync() => Inbound.DisposeAsync();
}
