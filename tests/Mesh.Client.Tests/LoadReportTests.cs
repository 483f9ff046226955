using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests;

/// <summary>Weights that change by themselves, through a real client to real servers, in virtual time.</summary>
public class LoadReportTests
{
    private const string Authority = "reviews:9080";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hosts_get_what_they_report_to_bear_be_it_in_headers_or_in_trailers(bool trailers)
    {
        await using var light = await StartAsync("light", 0.1, trailers);
        await using var heavy = await StartAsync("heavy", 0.9, trailers);
        var time = new ManualTimeProvider();
        await using var mesh = ClientMesh.Create(time: time).Serve(Authority, light.Port);
        var cluster = DataPlane.Tests.Resources.Cluster(Authority);
        cluster.LoadBalancingPolicy = new LoadBalancingPolicy
        {
            Policies = { new LoadBalancingPolicy.Types.Policy { TypedExtensionConfig = new TypedExtensionConfig { Name = "p", TypedConfig = Any.Pack(new ClientSideWeightedRoundRobin()) } } },
        };
        mesh.Xds.Set(ClusterType.Instance, trailers ? ClientMesh.Http2(cluster) : cluster);
        mesh.SetEndpoints(Authority, light.Port, heavy.Port);

        (await CountAsync(mesh, 20, "light")).ShouldBe(10);
        time.Advance(TimeSpan.FromSeconds(11));

        // 100 / 0.1 to 100 / 0.9.
        (await CountAsync(mesh, 100, "light")).ShouldBeInRange(88, 92);
    }

    [Fact]
    public async Task A_new_host_is_warmed_up()
    {
        await using var old = await StartAsync("old", 0, trailers: false);
        await using var young = await StartAsync("young", 0, trailers: false);
        var time = new ManualTimeProvider();
        await using var mesh = ClientMesh.Create(time: time).Serve(Authority, old.Port);
        var cluster = DataPlane.Tests.Resources.Cluster(Authority);
        cluster.RoundRobinLbConfig = new() { SlowStartConfig = new() { SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(100)) } };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        (await CountAsync(mesh, 2, "old")).ShouldBe(2);

        time.Advance(TimeSpan.FromMinutes(5));
        mesh.SetEndpoints(Authority, old.Port, young.Port);
        (await CountAsync(mesh, 110, "young")).ShouldBeInRange(9, 11);
        time.Advance(TimeSpan.FromSeconds(50));
        (await CountAsync(mesh, 120, "young")).ShouldBeInRange(39, 41);
        time.Advance(TimeSpan.FromSeconds(50));
        (await CountAsync(mesh, 100, "young")).ShouldBe(50);
    }

    [Fact]
    public async Task Load_that_the_control_plane_sheds_is_answered_here()
    {
        await using var server = await StartAsync("a", 0, trailers: false);
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        var endpoints = DataPlane.Tests.Resources.Endpoints(Authority, server.Port);
        endpoints.Policy = new ClusterLoadAssignment.Types.Policy
        {
            DropOverloads = { new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "all", DropPercentage = new FractionalPercent { Numerator = 100 } } },
        };
        mesh.Xds.Set(EndpointsType.Instance, endpoints);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}/");
        using var response = await mesh.Client().SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("drop overload");
        response.Headers.GetValues("x-envoy-drop-overload").ShouldBe(["true"]);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("DO");
        server.Connections.ShouldBe(0);
    }

    private static Task<WebServer> StartAsync(string name, double utilization, bool trailers)
        => WebServer.StartAsync(
            async context =>
            {
                var report = FormattableString.Invariant($"TEXT cpu_utilization={utilization},rps_fractional=100");
                if (!trailers)
                {
                    context.Response.Headers["endpoint-load-metrics"] = report;
                }

                await context.Response.WriteAsync(name);
                if (trailers)
                {
                    context.Response.AppendTrailer("endpoint-load-metrics", report);
                }
            },
            trailers ? HttpProtocols.Http2 : HttpProtocols.Http1);

    private static async Task<int> CountAsync(ClientMesh mesh, int requests, string answer)
    {
        var count = 0;
        for (var i = 0; i < requests; i++)
        {
            if (await mesh.Client().GetStringAsync($"http://{Authority}/") == answer)
            {
                count++;
            }
        }

        return count;
    }
}
