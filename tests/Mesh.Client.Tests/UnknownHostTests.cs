using System.Net;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Mesh.Xds.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Client.Tests;

/// <summary>Hosts that the mesh has not heard of: bounded waits, bounded growth, no hole.</summary>
public class UnknownHostTests
{
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task An_unknown_host_outside_waits_once_and_then_passes_while_its_subscription_stays()
    {
        var time = new ManualTimeProvider();
        await using var mesh = Create(time);
        var first = await StartWaitingAsync(mesh, time, "http://api.example.com/", TimeSpan.FromMilliseconds(250));

        time.Advance(TimeSpan.FromMilliseconds(249));
        first.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(1));
        (await first.Within()).ShouldBe("outside");

        (await mesh.Client().GetStringAsync("http://api.example.com/").Within()).ShouldBe("outside");
        mesh.Xds.Watched.ShouldBe([(ListenerType.Instance.TypeUrl, "api.example.com:80")]);

        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        mesh.Serve("api.example.com:80", server.Port);
        (await mesh.Client().GetStringAsync("http://api.example.com/").Within()).ShouldBe("mesh");
    }

    [Fact]
    public async Task An_answer_that_comes_in_time_is_used()
    {
        var time = new ManualTimeProvider();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(time);
        var first = await StartWaitingAsync(mesh, time, "http://api.example.com/", TimeSpan.FromMilliseconds(250));

        mesh.Serve("api.example.com:80", server.Port);

        (await first.Within()).ShouldBe("mesh");
    }

    [Theory]
    [InlineData("http://reviews:9080/")]
    [InlineData("http://reviews.default.svc/")]
    [InlineData("http://reviews.default.svc.cluster.local:9080/")]
    [InlineData("http://REVIEWS.default.SVC.cluster.local:9080/")]
    [InlineData("http://reviews.default.svc.cluster.local.:9080/")]
    [InlineData("http://reviews.:9080/")]
    [InlineData("https://reviews.default.svc.cluster.local/")]
    public async Task A_name_of_the_mesh_waits_for_the_control_plane_and_then_fails_instead_of_asking_DNS(string uri)
    {
        var time = new ManualTimeProvider();
        await using var mesh = Create(time);
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        var sending = mesh.Client().SendAsync(request);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(15)).Within();
        time.Advance(TimeSpan.FromSeconds(14));
        sending.IsCompleted.ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(1));

        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("NR");
    }

    [Fact]
    public async Task A_name_of_the_mesh_that_the_control_plane_denies_fails_at_once()
    {
        await using var mesh = Create(new ManualTimeProvider());
        mesh.Xds.Remove(ListenerType.Instance, "reviews:9080");

        (await mesh.Client().GetAsync("http://reviews:9080/").Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_name_with_a_dot_at_its_end_is_the_same_service()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(new ManualTimeProvider()).Serve("reviews.default.svc.cluster.local:80", server.Port);

        (await mesh.Client().GetStringAsync("http://reviews.default.svc.cluster.local./").Within()).ShouldBe("mesh");
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/")]
    [InlineData("http://[::1]:1/")]
    [InlineData("http://localhost:1/")]
    [InlineData("http://app.localhost:1/")]
    public async Task This_machine_passes_without_a_question(string uri)
    {
        await using var mesh = Create(new ManualTimeProvider());
        (await mesh.Client().GetStringAsync(uri).Within()).ShouldBe("outside");
        mesh.Xds.Watched.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("10.1.2.3:80")]
    public async Task An_address_is_a_host_like_others(string authority)
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(new ManualTimeProvider());
        mesh.Xds.Remove(ListenerType.Instance, authority);
        (await mesh.Client().GetStringAsync($"http://{authority}/").Within()).ShouldBe("outside");

        mesh.Serve(authority, server.Port);
        (await mesh.Client().GetStringAsync($"http://{authority}/").Within()).ShouldBe("mesh");
    }

    [Fact]
    public async Task A_host_flips_both_ways_when_the_control_plane_says_so()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(new ManualTimeProvider());
        mesh.Xds.Remove(ListenerType.Instance, "api.example.com:80");
        (await mesh.Client().GetStringAsync("http://api.example.com/").Within()).ShouldBe("outside");

        mesh.Serve("api.example.com:80", server.Port);
        (await mesh.Client().GetStringAsync("http://api.example.com/").Within()).ShouldBe("mesh");

        mesh.Xds.Remove(ListenerType.Instance, "api.example.com:80");
        (await mesh.Client().GetStringAsync("http://api.example.com/").Within()).ShouldBe("outside");
        mesh.Engine.Clusters.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_least_recently_used_host_goes_when_there_are_too_many()
    {
        var time = new ManualTimeProvider();
        await using var mesh = Create(time, o => o.Client.MaxOnDemandHosts = 3);
        foreach (var host in new[] { "a", "b", "c", "d" })
        {
            mesh.Xds.Remove(ListenerType.Instance, host + ".example.com:80");
        }

        foreach (var host in new[] { "a", "b", "c" })
        {
            await mesh.Client().GetStringAsync($"http://{host}.example.com/").Within();
            time.Advance(Sweep);
        }

        await mesh.Client().GetStringAsync("http://a.example.com/").Within();
        await mesh.Client().GetStringAsync("http://d.example.com/").Within();

        mesh.Xds.Watched.Select(w => w.Name).Order().ShouldBe(["a.example.com:80", "c.example.com:80", "d.example.com:80"]);
    }

    [Fact]
    public async Task A_flood_of_names_does_not_push_out_the_services_in_use()
    {
        var time = new ManualTimeProvider();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(time, o => o.Client.MaxOnDemandHosts = 10).Serve("reviews:9080", server.Port);
        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();
        for (var i = 0; i < 100; i++)
        {
            mesh.Xds.Remove(ListenerType.Instance, $"h{i}.example.com:80");
            (await mesh.Client().GetStringAsync($"http://h{i}.example.com/").Within()).ShouldBe("outside");
            (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        }

        mesh.Engine.Hosts.All.Count().ShouldBe(10);
        mesh.Xds.Watched.Count(w => w.TypeUrl == ListenerType.Instance.TypeUrl).ShouldBe(10);
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_waits_while_its_host_is_crowded_out_is_answered_all_the_same()
    {
        var time = new ManualTimeProvider();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(time, o => o.Client.MaxOnDemandHosts = 1);
        var waiting = await StartWaitingAsync(mesh, time, "http://reviews:9080/", TimeSpan.FromSeconds(15));
        mesh.Xds.Remove(ListenerType.Instance, "other.example.com:80");

        await mesh.Client().GetStringAsync("http://other.example.com/").Within();
        mesh.Serve("reviews:9080", server.Port);

        (await waiting.Within()).ShouldBe("mesh");
    }

    [Fact]
    public async Task A_request_that_holds_a_host_which_is_evicted_finds_it_again()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(new ManualTimeProvider(), o => o.Client.MaxOnDemandHosts = 1).Serve("reviews:9080", server.Port);
        mesh.Xds.Remove(ListenerType.Instance, "other.example.com:80");
        var held = (await mesh.Engine.Hosts.ResolveAsync("reviews", 9080, default))!;
        await mesh.Engine.Hosts.ResolveAsync("other.example.com", 80, default);
        held.IsEvicted.ShouldBeTrue();

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var response = await mesh.Engine.Upstream.SendAsync(held, request, default).AsTask().Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("mesh");
    }

    [Fact]
    public async Task Idle_hosts_are_unsubscribed_and_preloaded_ones_are_not()
    {
        var time = new ManualTimeProvider();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = Create(time, o => o.Preload.Add("details:9080")).Serve("reviews:9080", server.Port).Serve("details:9080", server.Port);
        await StartAsync(mesh);
        mesh.Xds.Remove(ListenerType.Instance, "api.example.com:80");
        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();
        await mesh.Client().GetStringAsync("http://api.example.com/").Within();

        time.Advance(TimeSpan.FromSeconds(70));
        mesh.Engine.Hosts.All.Select(h => h.ToString()).Order().ShouldBe(["details:9080", "reviews:9080"]);

        time.Advance(TimeSpan.FromMinutes(10));
        mesh.Engine.Hosts.All.Select(h => h.ToString()).ShouldBe(["details:9080"]);
        mesh.Engine.Clusters.All.Select(c => c.Cluster.Name).ShouldBe(["details:9080"]);
        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
    }

    [Fact]
    public async Task Preloaded_hosts_are_warm_when_the_application_has_started()
    {
        var time = new ManualTimeProvider();
        await using var mesh = Create(time, o => o.Preload.Add("details:9080"));
        var starting = StartAsync(mesh);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(15)).Within();
        starting.IsCompleted.ShouldBeFalse();

        mesh.Serve("details:9080", 1);

        await starting.Within();
        mesh.Engine.Hosts.Find("details", 9080)!.State.Status.ShouldBe(HostStatus.Meshed);
    }

    [Fact]
    public async Task An_application_starts_when_preloading_takes_too_long_and_says_so()
    {
        var time = new ManualTimeProvider();
        await using var mesh = Create(time, o => o.Preload.Add("details:9080"));
        var starting = StartAsync(mesh);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(15)).Within();

        time.Advance(TimeSpan.FromSeconds(15));

        await starting.Within();
        mesh.Logs.Lines.ShouldContain(l => l.StartsWith("Warning") && l.Contains("preloaded hosts are not warm"), 1);
    }

    [Fact]
    public async Task A_request_after_the_end_of_the_mesh_gets_a_reply_and_the_outside_stays_open()
    {
        var mesh = Create(new ManualTimeProvider()).Serve("reviews:9080", 1);
        var invoker = mesh.Invoker();
        await mesh.Engine.DisposeAsync();
        using var inside = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var outside = new HttpRequestMessage(HttpMethod.Get, "http://api.example.com/");

        (await invoker.SendAsync(inside, default).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await (await invoker.SendAsync(outside, default).Within()).Content.ReadAsStringAsync()).ShouldBe("outside");
        mesh.Xds.Watched.ShouldBeEmpty();
    }

    [Fact]
    public async Task Registry_only_refuses_what_no_service_names()
    {
        await using var mesh = Create(new ManualTimeProvider(), o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);
        mesh.Xds.Remove(ListenerType.Instance, "api.example.com:80");
        mesh.Xds.Remove(ListenerType.Instance, "api.example.com:443");
        mesh.Xds.Remove(ListenerType.Instance, "10.1.2.3:80");

        (await mesh.Client().GetAsync("http://api.example.com/").Within()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await mesh.Client().GetAsync("http://10.1.2.3/").Within()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        var refused = await Should.ThrowAsync<HttpRequestException>(() => mesh.Client().GetAsync("https://api.example.com/").Within());
        refused.Message.ShouldContain("api.example.com:443");
        refused.Message.ShouldContain("ServiceEntry");
        refused.Message.ShouldContain("AllowAny");

        // As with the sidecar, which does not capture the loopback.
        (await mesh.Client().GetStringAsync("http://127.0.0.1:1/").Within()).ShouldBe("outside");
    }

    private static ClientMesh Create(TimeProvider time, Action<MeshOptions>? options = null)
        => ClientMesh.Create(
            services => services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => new Outside())),
            options,
            time);

    private static Task StartAsync(ClientMesh mesh)
        => mesh.Services.GetServices<IHostedService>().OfType<MeshClientService>().Single().StartAsync(default);

    private static async Task<Task<string>> StartWaitingAsync(ClientMesh mesh, ManualTimeProvider time, string uri, TimeSpan limit)
    {
        var sending = mesh.Client().GetStringAsync(uri);
        await time.WaitForTimerAsync(limit).Within();
        sending.IsCompleted.ShouldBeFalse();
        return sending;
    }

    private sealed class Outside : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => Task.FromResult(new HttpResponseMessage { Content = new StringContent("outside"), RequestMessage = request });
    }
}
