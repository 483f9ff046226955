using System.Net;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Retry;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Retry;

/// <summary>Routes that move on, and let the old cluster go, between one attempt and the next.</summary>
public class StaleRetryTests
{
    private const string Authority = "reviews:9080";

    [Theory]
    [InlineData("none")]
    [InlineData("text")]
    [InlineData("stream")]
    [InlineData("written once")]
    public async Task A_retry_goes_where_the_routes_lead_now(string kind)
    {
        ClientMesh? mesh = null;
        await using var v2 = await WebServer.StartAsync(async context => await context.Response.WriteAsync("v2:" + await ReadAsync(context)));
        await using var v1 = await WebServer.StartAsync(async context =>
        {
            await ReadAsync(context);
            mesh!.Xds.Set(RouteConfigurationType.Instance, Routes("v2"));
            context.Response.StatusCode = 503;
        });
        await using var created = mesh = ClientMesh.Create();
        mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(Authority, Authority));
        mesh.SetCluster("v1").SetEndpoints("v1", v1.Port).SetCluster("v2").SetEndpoints("v2", v2.Port);
        mesh.Xds.Set(RouteConfigurationType.Instance, Routes("v1"));
        var writes = 0;
        HttpContent? content = kind switch
        {
            "text" => new StringContent("body"),
            "stream" => new StreamContent(new MemoryStream("body"u8.ToArray())),
            "written once" => new ScriptedContent(async stream =>
            {
                Interlocked.Increment(ref writes).ShouldBe(1);
                await stream.WriteAsync("body"u8.ToArray());
            }),
            _ => null,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = content };

        using var response = await mesh.Invoker().SendAsync(request, default).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe(content is null ? "v2:" : "v2:body");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        request.Content.ShouldBeSameAs(content);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task The_timeout_over_all_tries_goes_on_when_the_routes_have_moved()
    {
        ClientMesh? mesh = null;
        var time = new ManualTimeProvider();
        var arrived = new SemaphoreSlim(0);
        using var v2 = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var v1 = await WebServer.StartAsync(context =>
        {
            time.Advance(TimeSpan.FromSeconds(6));
            mesh!.Xds.Set(RouteConfigurationType.Instance, Routes("v2"));
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var created = mesh = ClientMesh.Create(services => services.AddSingleton(new BackOffTime(TimeProvider.System)), time: time);
        mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(Authority, Authority));
        mesh.SetCluster("v1").SetEndpoints("v1", v1.Port).SetCluster("v2").SetEndpoints("v2", v2.Port);
        mesh.Xds.Set(RouteConfigurationType.Instance, Routes("v1"));
        var sending = mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), default);
        await arrived.WaitAsync().Within();

        time.Advance(TimeSpan.FromSeconds(4));

        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        mesh.Permits.ShouldBe(0);
    }

    private static Task<string> ReadAsync(HttpContext context) => new StreamReader(context.Request.Body).ReadToEndAsync();

    private static RouteConfiguration Routes(string cluster)
    {
        var route = Fixture.Prefix("/", cluster);
        route.Route_.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
        route.Route_.RetryPolicy = RouteRules.Retry("5xx,reset");
        return Fixture.Routes(Authority, route);
    }
}
