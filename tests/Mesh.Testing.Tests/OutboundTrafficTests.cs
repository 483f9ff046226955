using System.Net;

namespace Mesh.Testing.Tests;

/// <summary>Hosts outside of the mesh, as the documents or the test want it.</summary>
public class OutboundTrafficTests
{
    private const string RegistryOnly = """
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        metadata:
          name: mesh
        spec:
          outboundTrafficPolicy:
            mode: REGISTRY_ONLY
        """;

    private static string Sidecar(string policy) => $$$"""
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {name: web}
        spec:
          workloadSelector: {labels: {app: web}}
          outboundTrafficPolicy: { {{{policy}}} }
        """;

    [Fact]
    public async Task A_host_that_the_test_puts_outside_is_reached_when_the_documents_allow_it()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews, o => o.OutboundTrafficPolicy = null);
        mesh.MapOutside("www.example.com", Respond.With("outside"));
        using var client = mesh.CreateClient("https://www.example.com");

        (await client.GetStringAsync("/")).ShouldBe("outside");

        mesh.Decisions.ShouldHaveSingleItem().Explanation.ShouldHaveSingleItem().ShouldContain("ALLOW_ANY (allow_any)");
    }

    [Fact]
    public async Task A_change_of_the_MeshConfig_reaches_a_client_that_is_running()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews, o => o.OutboundTrafficPolicy = null);
        mesh.MapOutside("www.example.com", Respond.With("outside"));
        using var client = mesh.CreateClient("http://www.example.com");
        (await client.GetStringAsync("/")).ShouldBe("outside");

        mesh.Apply(RegistryOnly);
        await mesh.SettledAsync();
        (await client.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://www.example.com/"))).Message.ShouldContain("www.example.com:443");

        mesh.Delete("MeshConfig", "mesh", "istio-system");
        await mesh.SettledAsync();
        (await client.GetStringAsync("/")).ShouldBe("outside");
    }

    [Fact]
    public async Task A_Sidecar_decides_for_the_applications_that_it_selects()
    {
        await using var mesh = await MeshTestHost.StartAsync(RegistryOnly, o => o.OutboundTrafficPolicy = null);
        mesh.MapOutside("www.example.com", Respond.With("outside"));
        using var web = mesh.CreateClient("http://www.example.com", new MeshWorkload("web"));
        using var job = mesh.CreateClient("http://www.example.com", new MeshWorkload("job"));
        (await web.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);

        mesh.Apply(Sidecar("mode: ALLOW_ANY"));
        await mesh.SettledAsync();

        (await web.GetStringAsync("/")).ShouldBe("outside");
        (await job.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task An_egress_proxy_of_a_Sidecar_takes_what_would_have_left_the_mesh()
    {
        await using var mesh = await MeshTestHost.StartAsync(RegistryOnly + "\n---\n" + Yaml.Reviews, o => o.OutboundTrafficPolicy = null);
        await using var endpoint = mesh.AddEndpoint("reviews", "v1", request => new HttpResponseMessage { Content = new StringContent($"reviews was asked for {request.Headers.Host ?? request.RequestUri!.Authority}") });
        using var web = mesh.CreateClient("http://www.example.com", new MeshWorkload("web"));

        mesh.Apply(Sidecar("mode: ALLOW_ANY, egressProxy: {host: reviews.default.svc.cluster.local, port: {number: 9080}}"));
        await mesh.SettledAsync();

        (await web.GetStringAsync("/")).ShouldBe("reviews was asked for www.example.com");
        mesh.Decisions.ShouldHaveSingleItem().Cluster.ShouldBe("outbound|9080||reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task The_very_first_request_of_a_client_meets_the_policy()
    {
        await using var mesh = await MeshTestHost.StartAsync(RegistryOnly, o => o.OutboundTrafficPolicy = null);
        mesh.MapOutside("www.example.com", Respond.With("outside"));
        mesh.MapOutside("10.1.2.3", Respond.With("outside"));

        for (var i = 0; i < 20; i++)
        {
            using var client = mesh.CreateClient("http://www.example.com", new MeshWorkload($"caller-{i}"));
            (await client.GetAsync(i % 2 == 0 ? "/" : "http://10.1.2.3/")).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        }
    }

    [Fact]
    public async Task A_host_that_nobody_has_put_outside_is_not_there()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews, o => o.OutboundTrafficPolicy = OutboundTrafficMode.AllowAny);
        using var client = mesh.CreateClient("http://www.example.com");

        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("/"))).Message.ShouldContain("MapOutside");
    }
}
