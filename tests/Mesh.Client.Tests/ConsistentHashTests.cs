using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadBalancing.Hashing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

/// <summary>Consistent hashing through a real client to four real servers.</summary>
public class ConsistentHashTests : IAsyncLifetime
{
    private const string Authority = "reviews:9080";

    private readonly List<WebServer> _servers = [];
    private ClientMesh _mesh = null!;

    public async Task InitializeAsync()
    {
        for (var i = 0; i < 4; i++)
        {
            _servers.Add(await WebServer.StartAsync(context => context.Response.WriteAsync(context.Connection.LocalPort.ToString())));
        }

        _mesh = ClientMesh.Create(services =>
        {
            services.AddSingleton<IRandomSource>(new SequenceRandomSource(1000));
            services.AddHttpClient("forgetful").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseCookies = false });
        });
        _mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(Authority, "routes"));
        _mesh.SetEndpoints("c", [.. _servers.Select(s => s.Port)]);
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_header_leads_to_the_host_that_owns_its_hash(bool maglev)
    {
        await UseAsync(maglev ? Cluster.Types.LbPolicy.Maglev : Cluster.Types.LbPolicy.RingHash, new RouteAction.Types.HashPolicy { Header = new() { HeaderName = "x-user" } });
        var hosts = _mesh.Engine.Clusters.All.Single().Cluster.Current.Endpoints.Endpoints.ToArray();
        var picker = (maglev ? (ConsistentHashing)new Maglev() : new RingHash()).CreatePicker(hosts, new HostGroupState(0));

        var answers = new HashSet<string>();
        for (var i = 0; i < 120; i++)
        {
            var owner = ((IPEndPoint)picker.Pick(new PickContext(0) { HasHash = true, Hash = XxHash64.Hash($"user-{i}") }).Resource.Address).Port.ToString();
            var (answer, _) = await SendAsync("/", ("x-user", $"user-{i}"));
            answer.ShouldBe(owner);
            answers.Add(answer);
        }

        answers.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Without_the_header_requests_go_anywhere()
    {
        await UseAsync(Cluster.Types.LbPolicy.RingHash, new RouteAction.Types.HashPolicy { Header = new() { HeaderName = "x-user" } });
        var answers = new HashSet<string>();
        for (var i = 0; i < 120; i++)
        {
            answers.Add((await SendAsync("/")).Answer);
        }

        answers.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_generated_cookie_keeps_the_session_with_its_host()
    {
        await UseAsync(Cluster.Types.LbPolicy.RingHash, new RouteAction.Types.HashPolicy { Cookie = new() { Name = "session", Ttl = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)), Path = "/" } });
        for (var session = 0; session < 10; session++)
        {
            var (first, setCookie) = await SendAsync("/");
            setCookie.ShouldNotBeNull().ShouldEndWith("; Max-Age=300; Path=/; HttpOnly");
            for (var i = 0; i < 5; i++)
            {
                var (again, none) = await SendAsync("/", ("Cookie", setCookie.Split(';')[0]));
                again.ShouldBe(first);
                none.ShouldBeNull();
            }
        }
    }

    [Fact]
    public async Task A_client_that_keeps_cookies_stays_with_its_host_by_itself()
    {
        await UseAsync(Cluster.Types.LbPolicy.Maglev, new RouteAction.Types.HashPolicy { Cookie = new() { Name = "session", Ttl = new Duration(), Path = "/" } });
        using var client = _mesh.Client("keeping");
        var answers = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            answers.Add(await client.GetStringAsync($"http://{Authority}/"));
        }

        answers.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_source_that_the_application_names_decides()
    {
        await UseAsync(Cluster.Types.LbPolicy.Maglev, new RouteAction.Types.HashPolicy { ConnectionProperties = new() { SourceIp = true } });
        var own = (await SendAsync("/")).Answer;
        (await SendAsync("/")).Answer.ShouldBe(own);

        var answers = new HashSet<string>();
        for (var i = 0; i < 120; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}/");
            request.Options.Set(MeshRequest.SourceAddress, IPAddress.Parse($"10.0.0.{i}"));
            using var response = await _mesh.Client("forgetful").SendAsync(request);
            answers.Add(await response.Content.ReadAsStringAsync());
        }

        answers.Count.ShouldBe(4);
    }

    private async Task UseAsync(Cluster.Types.LbPolicy policy, RouteAction.Types.HashPolicy hash)
    {
        _mesh.Xds.Set(ClusterType.Instance, DataPlane.Tests.Resources.Cluster("c", policy));
        var route = DataPlane.Tests.Resources.Prefix("/", "c");
        route.Route_.HashPolicy.Add(hash);
        _mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("routes", route));
        using var warm = await _mesh.Client("forgetful").GetAsync($"http://{Authority}/");
    }

    private async Task<(string Answer, string? SetCookie)> SendAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}{path}");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _mesh.Client("forgetful").SendAsync(request);
        return (await response.Content.ReadAsStringAsync(), response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single() : null);
    }
}
