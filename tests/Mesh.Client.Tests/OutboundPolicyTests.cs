using System.Net;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.Testing;
using Mesh.Xds.Client;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stats;

namespace Mesh.Client.Tests;

/// <summary>Hosts that the mesh does not know go by the listener <c>virtualOutbound</c>, unless the application has said otherwise.</summary>
public class OutboundPolicyTests
{
    private static readonly Route AllowAny = DataPlane.Tests.Resources.Prefix("/", "PassthroughCluster", "allow_any");

    private static readonly Route BlockAll = new()
    {
        Name = "block_all",
        Match = new RouteMatch { Prefix = "/" },
        DirectResponse = new DirectResponseAction { Status = 502 },
    };

    [Fact]
    public async Task A_server_that_knows_no_policy_allows_every_host()
    {
        await using var mesh = Create();

        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("200 outside");
        mesh.Engine.Outbound.Status.ShouldBe(new OutboundStatus("ALLOW_ANY", "the control plane has no policy", "", 1, 0));
    }

    [Fact]
    public async Task An_allowed_host_is_counted_on_the_passthrough_cluster()
    {
        await using var mesh = Create();
        Set(mesh, AllowAny);

        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("200 outside");
        (await GetAsync(mesh, "https://api.example.com/")).ShouldBe("200 outside");

        mesh.Engine.Outbound.Status.PassthroughRequests.ShouldBe(2);
        mesh.Engine.Clusters.All.Single(c => c.Cluster.Name == "PassthroughCluster").Cluster.Stats.OutsideRequests.Value.ShouldBe(2);
        mesh.Records.Ended.Select(r => (r.Cluster, r.Authority, r.Status, r.Details, r.ResponseBytes)).ShouldBe(
            [("PassthroughCluster", "api.example.com", 200, "via_upstream", 7), ("PassthroughCluster", "api.example.com", 200, "via_upstream", 7)]);
    }

    [Fact]
    public async Task What_leaves_the_mesh_is_counted_as_the_listener_says()
    {
        await using var mesh = Create();
        Set(mesh, AllowAny);
        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("200 outside");
        Rows(mesh).ShouldHaveSingleItem().ShouldContain("destination_service=\"api.example.com\"");

        Set(mesh, AllowAny, new PluginConfig { DisableHostHeaderFallback = true });
        (await GetAsync(mesh, "http://other.example.com/")).ShouldBe("200 outside");

        Rows(mesh).Count(row => row.Contains("other.example.com", StringComparison.Ordinal)).ShouldBe(0);
        Rows(mesh).Length.ShouldBe(2);

        static string[] Rows(ClientMesh mesh)
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>();
            PrometheusText.Write(mesh.Services.GetRequiredService<MetricRegistry>(), output, family => family.Name == "istio_requests_total");
            return [.. System.Text.Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(line => line.StartsWith("istio_requests_total{", StringComparison.Ordinal))];
        }
    }

    [Fact]
    public async Task A_refused_plain_request_is_answered_with_an_empty_502_and_the_reason_stands_in_its_options()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://api.example.com/");

        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await response.Content.ReadAsStringAsync()).ShouldBeEmpty();
        request.Options.TryGetValue(MeshRequest.RefusalReason, out var reason).ShouldBeTrue();
        reason.ShouldBe("the outbound traffic policy of the mesh is REGISTRY_ONLY (block_all of virtualOutbound) and no service or ServiceEntry names the host");
        mesh.Engine.Outbound.Status.BlackHoleRequests.ShouldBe(1);
        mesh.Engine.Outbound.Status.PassthroughRequests.ShouldBe(0);
        mesh.Records.Ended.ShouldHaveSingleItem().ShouldSatisfyAllConditions(r => r.Cluster.ShouldBe("BlackHoleCluster"), r => r.Status.ShouldBe(502));
    }

    [Fact]
    public async Task A_refused_https_request_fails_with_the_host_and_the_way_out()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example.com/");

        var refused = await Should.ThrowAsync<HttpRequestException>(() => mesh.Client().SendAsync(request).Within());

        refused.HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
        refused.Message.ShouldContain("api.example.com:443");
        refused.Message.ShouldContain("REGISTRY_ONLY");
        refused.Message.ShouldContain("Add a ServiceEntry");
        refused.Message.ShouldContain("Mesh:Client:OutboundTrafficPolicy");
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBeEmpty();
        mesh.Engine.Outbound.Status.BlackHoleRequests.ShouldBe(1);
    }

    [Fact]
    public async Task A_refused_host_is_told_to_the_log_once()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);

        for (var i = 0; i < 3; i++)
        {
            await GetAsync(mesh, "http://api.example.com/");
            await GetAsync(mesh, "http://www.example.com/");
        }

        mesh.Logs.Lines.Where(l => l.Contains("are refused")).Count().ShouldBe(2);
        mesh.Logs.Lines.ShouldContain(l => l.StartsWith("Warning") && l.Contains("Requests to api.example.com:80 are refused"), 1);
    }

    [Fact]
    public async Task Addresses_go_by_the_policy_and_this_machine_does_not()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);

        (await GetAsync(mesh, "http://10.1.2.3/")).ShouldBe("502 ");
        (await GetAsync(mesh, "http://127.0.0.1/")).ShouldBe("200 outside");
        (await GetAsync(mesh, "http://localhost/")).ShouldBe("200 outside");
    }

    [Fact]
    public async Task A_change_of_the_policy_is_live_at_once()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);
        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("502 ");

        Set(mesh, AllowAny);
        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("200 outside");

        Set(mesh, BlockAll);
        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("502 ");

        mesh.Xds.Remove(ListenerType.Instance, OutboundPolicy.ListenerName);
        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("200 outside");
    }

    [Fact]
    public async Task Losing_the_control_plane_leaves_the_policy_as_it_was()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);

        mesh.Xds.Fail(ListenerType.Instance, OutboundPolicy.ListenerName, ResourceErrorKind.Unavailable, "the server is away");

        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe("502 ");
    }

    [Fact]
    public async Task A_policy_that_cannot_be_read_is_no_permission()
    {
        await using var mesh = Create();
        mesh.Xds.Fail(ListenerType.Instance, OutboundPolicy.ListenerName, ResourceErrorKind.Invalid, "api_listener: must be set");
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://api.example.com/");

        (await mesh.Client().SendAsync(request).Within()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        request.Options.TryGetValue(MeshRequest.RefusalReason, out var reason).ShouldBeTrue();
        reason.ShouldBe("the control plane's outbound traffic policy cannot be used: api_listener: must be set");
    }

    [Theory]
    [InlineData(OutboundTrafficMode.AllowAny, "200 outside")]
    [InlineData(OutboundTrafficMode.RegistryOnly, "502 ")]
    public async Task What_the_application_says_wins_over_the_mesh(OutboundTrafficMode mode, string expected)
    {
        await using var mesh = Create(o => o.Client.OutboundTrafficPolicy = mode);
        Set(mesh, mode == OutboundTrafficMode.AllowAny ? BlockAll : AllowAny);

        (await GetAsync(mesh, "http://api.example.com/")).ShouldBe(expected);
        mesh.Engine.Outbound.Status.Source.ShouldBe("Mesh:Client:OutboundTrafficPolicy");
    }

    [Fact]
    public async Task An_egress_proxy_takes_the_requests_to_unknown_hosts()
    {
        await using var proxy = await WebServer.StartAsync(context => context.Response.WriteAsync($"by the proxy to {context.Request.Host}{context.Request.Path}"));
        await using var mesh = Create();
        mesh.SetCluster("outbound|3128||egress.default.svc.cluster.local").SetEndpoints("outbound|3128||egress.default.svc.cluster.local", proxy.Port);
        Set(mesh, DataPlane.Tests.Resources.Prefix("/", "outbound|3128||egress.default.svc.cluster.local", "allow_any"));

        (await GetAsync(mesh, "http://api.example.com/a")).ShouldBe("200 by the proxy to api.example.com/a");
        (await GetAsync(mesh, "http://10.1.2.3:8080/b")).ShouldBe("200 by the proxy to 10.1.2.3:8080/b");

        mesh.Engine.Outbound.Status.Policy.ShouldBe("outbound|3128||egress.default.svc.cluster.local");
        mesh.Engine.Outbound.Status.PassthroughRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_first_request_waits_for_the_policy_of_a_server_that_answers_every_name()
    {
        var time = new ManualTimeProvider();
        var application = new ClientMeshServices();
        var xds = application.Xds;
        xds.AnswersEveryName = true;
        xds.Forget(ListenerType.Instance, OutboundPolicy.ListenerName);
        application.Services.AddSingleton<TimeProvider>(time);
        application.Services.AddMeshClient();
        await using var mesh = Outside(application).Build();
        xds.Remove(ListenerType.Instance, "api.example.com:80");
        var before = time.ActiveTimers;

        var sending = GetAsync(mesh, "http://api.example.com/");
        await time.WaitForTimersAsync(before + 1).Within();
        sending.IsCompleted.ShouldBeFalse();
        Set(mesh, BlockAll);

        (await sending.Within()).ShouldBe("502 ");
    }

    [Fact]
    public async Task A_server_that_never_answers_is_waited_for_once_and_then_every_host_is_allowed()
    {
        var time = new ManualTimeProvider();
        var application = new ClientMeshServices();
        application.Xds.Forget(ListenerType.Instance, OutboundPolicy.ListenerName);
        application.Xds.Remove(ListenerType.Instance, "10.1.2.3:80");
        application.Services.AddSingleton<TimeProvider>(time);
        application.Services.AddMeshClient();
        await using var mesh = Outside(application).Build();

        var sending = GetAsync(mesh, "http://10.1.2.3/");
        await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(250)).Within();
        sending.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(250));

        (await sending.Within()).ShouldBe("200 outside");
        (await GetAsync(mesh, "http://10.1.2.3/").Within()).ShouldBe("200 outside");
    }

    [Fact]
    public async Task A_connection_that_carries_no_HTTP_goes_by_the_same_policy()
    {
        await using var mesh = Create();
        Set(mesh, BlockAll);
        mesh.Engine.Outbound.AdmitConnection(new HostKey("db.example.com", 5432)).Verdict.ShouldBe(OutboundVerdict.Refuse);

        Set(mesh, AllowAny);
        mesh.Engine.Outbound.AdmitConnection(new HostKey("db.example.com", 5432)).Verdict.ShouldBe(OutboundVerdict.Pass);

        mesh.Engine.Outbound.Status.ShouldBe(new OutboundStatus("ALLOW_ANY", "the control plane (virtualOutbound)", mesh.Engine.Outbound.Status.Version, 1, 1));
    }

    private static ClientMesh Create(Action<MeshOptions>? options = null)
    {
        var mesh = ClientMesh.Create(services => services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => new TheWorld())), options);
        mesh.Engine.Outbound.Start();
        return mesh;
    }

    private static ClientMeshServices Outside(ClientMeshServices application)
    {
        application.Services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => new TheWorld()));
        return application;
    }

    private static async Task<string> GetAsync(ClientMesh mesh, string uri)
    {
        if (!uri.Contains("10.1.2.3") && !uri.Contains("127.0.0.1") && !mesh.Xds.AnswersEveryName)
        {
            var address = new Uri(uri);
            mesh.Xds.Remove(ListenerType.Instance, $"{address.Host}:{address.Port}");
        }

        using var response = await mesh.Client().GetAsync(uri).Within();
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
    }

    private static void Set(ClientMesh mesh, Route route, PluginConfig? stats = null)
    {
        if (route.Route_?.Cluster == "PassthroughCluster")
        {
            mesh.Xds.Set(ClusterType.Instance, new Envoy.Config.Cluster.V3.Cluster
            {
                Name = "PassthroughCluster",
                Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.OriginalDst,
                LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.ClusterProvided,
            });
        }

        mesh.Xds.Set(ListenerType.Instance, new Listener
        {
            Name = OutboundPolicy.ListenerName,
            ApiListener = new ApiListener
            {
                ApiListener_ = Any.Pack(new HttpConnectionManager
                {
                    StatPrefix = "test",
                    RouteConfig = new RouteConfiguration
                    {
                        Name = OutboundPolicy.ListenerName,
                        VirtualHosts = { new VirtualHost { Name = route.Name, Domains = { "*" }, Routes = { route } } },
                    },
                    HttpFilters =
                    {
                        (HttpFilter[])(stats is null ? [] : [new HttpFilter { Name = "istio.stats", TypedConfig = Any.Pack(stats) }]),
                        new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) },
                    },
                }),
            },
        });
    }

    private sealed class TheWorld : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => Task.FromResult(new HttpResponseMessage { Content = new StringContent("outside"), RequestMessage = request });
    }
}
