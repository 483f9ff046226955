using System.Net;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>What leaves the mesh: anything, or only what is written down.</summary>
public sealed class OutboundPolicyLabs
{
    [Fact]
    [Trait("Lab", "P12")]
    public async Task With_REGISTRY_ONLY_a_ServiceEntry_opens_the_way_to_one_host()
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        var github = await net.AddHostAsync("github.com", options => options.Answer = context => context.Response.WriteAsync("<html>github</html>"));
        await using var mesh = await PodMesh.StartAsync(Settings("REGISTRY_ONLY"), outside: net);
        var sleep = Caller(mesh);

        var refused = await Should.ThrowAsync<HttpRequestException>(sleep.GetAsync("https://github.com/").OrHang());
        refused.HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
        refused.Message.ShouldContain("github.com:443");
        refused.Message.ShouldContain("REGISTRY_ONLY");
        refused.Message.ShouldContain("ServiceEntry");
        (await sleep.AskAsync("http://github.com/")).Status.ShouldBe(502);
        github.Connections.ShouldBe(0);
        mesh.Engines[0].Outbound.Status.BlackHoleRequests.ShouldBe(2);

        await mesh.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: github-external}
            spec:
              hosts: [github.com]
              ports: [{number: 443, name: https, protocol: HTTPS, targetPort: {{OutsideNet.LocalPort(443)}}}]
              resolution: DNS
              location: MESH_EXTERNAL
            """);

        (await sleep.AskAsync("https://github.com/")).Body.ShouldBe("<html>github</html>");
        github.ServerNames.ShouldBe(["github.com"]);
        mesh.Engines[0].Outbound.Status.BlackHoleRequests.ShouldBe(2);
        mesh.Engines[0].Outbound.Status.PassthroughRequests.ShouldBe(0);
    }

    [Fact]
    [Trait("Lab", "A3-26")]
    public async Task The_policy_is_tightened_and_loosened_while_an_application_runs()
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        await net.AddHostAsync("perdu.com");
        await net.AddHostAsync("une-tasse-de.cafe");
        await net.AddHostAsync("a-cup-of.coffee", options => options.Answer = context =>
        {
            context.Response.Headers.Server = "lighttpd/1.4.71";
            return context.Response.WriteAsync("coffee");
        });
        await using var mesh = await PodMesh.StartAsync(Settings("ALLOW_ANY"), outside: net);
        await mesh.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata: {name: coffee-website}
            spec:
              hosts: [a-cup-of.coffee]
              location: MESH_EXTERNAL
              ports: [{number: 443, name: https, protocol: TLS, targetPort: {{OutsideNet.LocalPort(443)}}}]
              resolution: DNS
            """);
        var productpage = Caller(mesh);

        // 1. ALLOW_ANY: one host is the ServiceEntry's, the other goes by PassthroughCluster.
        (await productpage.AskAsync("https://a-cup-of.coffee/")).Headers["Server"].ShouldBe("lighttpd/1.4.71");
        mesh.Engines[0].Outbound.Status.PassthroughRequests.ShouldBe(0);
        (await productpage.AskAsync("https://perdu.com/")).Status.ShouldBe(200);
        mesh.Engines[0].Outbound.Status.PassthroughRequests.ShouldBe(1);

        // 2. REGISTRY_ONLY: what is written down stays, the other is refused.
        await mesh.ApplyAsync(Settings("REGISTRY_ONLY"));
        (await Should.ThrowAsync<HttpRequestException>(productpage.GetAsync("https://perdu.com/").OrHang())).Message.ShouldContain("perdu.com:443");
        (await productpage.AskAsync("https://a-cup-of.coffee/")).Headers["Server"].ShouldBe("lighttpd/1.4.71");
        mesh.Engines[0].Outbound.Status.BlackHoleRequests.ShouldBe(1);

        // 3. Back again.
        await mesh.ApplyAsync(Settings("ALLOW_ANY"));
        (await productpage.AskAsync("https://perdu.com/")).Status.ShouldBe(200);
        mesh.Engines[0].Outbound.Status.ShouldBe(mesh.Engines[0].Outbound.Status with { Policy = "ALLOW_ANY", PassthroughRequests = 2, BlackHoleRequests = 1 });
    }

    [Fact]
    [Trait("Lab", "A3-26")]
    public async Task Each_application_may_reach_its_own_host_and_no_other()
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        await net.AddHostAsync("a-cup-of.coffee");
        await using var mesh = await PodMesh.StartAsync(Settings("REGISTRY_ONLY"), outside: net);
        var productpage = Caller(mesh, "productpage");
        var reviews = Caller(mesh, "reviews");

        await mesh.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: productpage}
            spec:
              workloadSelector: {labels: {app: productpage}}
              outboundTrafficPolicy: {mode: ALLOW_ANY}
            """);

        (await productpage.AskAsync("https://a-cup-of.coffee/")).Status.ShouldBe(200);
        await Should.ThrowAsync<HttpRequestException>(reviews.GetAsync("https://a-cup-of.coffee/").OrHang());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Lab", "A3-26")]
    public async Task An_edit_of_the_file_is_live_without_a_restart_and_a_slip_in_it_changes_nothing(bool delta)
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        await net.AddHostAsync("perdu.com");
        await using var lab = new MeshLab();
        lab.Folder.Save("mesh.yaml", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n");
        await lab.StartControlPlaneAsync();
        var caller = await lab.StartCallerAsync(
            options =>
            {
                options.Xds.Delta = delta;

                // Longer than a busy machine needs to hear of the policy, before which hosts that nobody knows are let through.
                options.Client.UnknownHostTimeout = TimeSpan.FromSeconds(10);
            },
            services => services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(net.CreateHandler)));
        (await caller.Client.GetAsync("http://perdu.com/").OrHang()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);

        lab.Folder.Save("mesh.yaml", "outboundTrafficPolicy:\n  mode: ALLOW_ANYBODY\n");
        await lab.ControlPlane.WhenConfigAsync(store => store.Diagnostics.Any(d => d.File.EndsWith("mesh.yaml", StringComparison.Ordinal) && d.Line == 2 && d.Path == "outboundTrafficPolicy.mode"));
        await lab.ControlPlane.FlushAsync();
        (await caller.Client.GetAsync("http://perdu.com/").OrHang()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);

        lab.Folder.Save("mesh.yaml", "outboundTrafficPolicy:\n  mode: ALLOW_ANY\n");
        await lab.ControlPlane.WhenLiveAsync("MeshConfig", "ALLOW_ANY");
        (await caller.Client.GetAsync("http://perdu.com/").OrHang()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static HttpClient Caller(PodMesh mesh, string name = "sleep")
        => mesh.Caller(new MeshWorkload(name), configure: options => options.Client.OutboundTrafficPolicy = null);

    /// <summary>As <c>kubectl get configmap istio -n istio-system -o yaml</c> shows it.</summary>
    private static string Settings(string mode) => $$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |-
            defaultConfig:
              proxyHeaders:
                attemptCount: {disabled: false}
            outboundTrafficPolicy:
              mode: {{mode}}
            rootNamespace: istio-system
        """;
}
