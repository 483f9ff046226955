using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Microsoft.Extensions.DependencyInjection;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.Client.Tests.Routes;

/// <summary>A mesh with one host, whose routes the test writes, and one server that remembers what arrived.</summary>
internal sealed class RoutedMesh : IAsyncDisposable
{
    public const string Authority = "reviews:9080";

    private RoutedMesh(ClientMesh mesh, HeadServer server) => (Mesh, Server) = (mesh, server);

    public ClientMesh Mesh { get; }

    public HeadServer Server { get; }

    public static RoutedMesh Create(string responseHeaders = "", Action<IServiceCollection>? configure = null)
    {
        var server = new HeadServer(responseHeaders);
        var mesh = ClientMesh.Create(services =>
        {
            services.AddSingleton<IRandomSource>(new SequenceRandomSource(100));
            configure?.Invoke(services);
        });
        mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(Authority, "routes"));
        mesh.SetCluster("a").SetEndpoints("a", server.Port);
        return new RoutedMesh(mesh, server);
    }

    /// <summary>The route that every request takes.</summary>
    public static Route Route(Action<RouteAction>? action = null, string prefix = "/")
    {
        var route = new Route { Name = "main", Match = new RouteMatch { Prefix = prefix }, Route_ = new RouteAction { Cluster = "a" } };
        action?.Invoke(route.Route_);
        return route;
    }

    public static HeaderValueOption Header(
        string name,
        string value,
        HeaderValueOption.Types.HeaderAppendAction action = HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd,
        bool keepEmpty = false)
        => new() { Header = new HeaderValue { Key = name, Value = value }, AppendAction = action, KeepEmptyValue = keepEmpty };

    public RoutedMesh Routes(params Route[] routes) => Configure(_ => { }, routes);

    public RoutedMesh Configure(Action<RouteConfiguration> change, params Route[] routes)
    {
        var configuration = DataPlane.Tests.Resources.Routes("routes", routes.Length > 0 ? routes : [Route()]);
        change(configuration);
        Mesh.Xds.Set(RouteConfigurationType.Instance, configuration);
        return this;
    }

    public Task<HttpResponseMessage> GetAsync(string path = "/", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}{path}");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Mesh.Client().SendAsync(request).Within();
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => Mesh.Invoker().SendAsync(request, CancellationToken.None).Within();

    public async ValueTask DisposeAsync()
    {
        await Mesh.DisposeAsync();
        Server.Dispose();
    }
}
