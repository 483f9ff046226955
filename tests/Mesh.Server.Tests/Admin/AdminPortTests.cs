using System.Net;
using System.Text.Json;
using Mesh.Server.Admin;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Admin;

/// <summary>The admin on its port, over real sockets.</summary>
public sealed class AdminPortTests
{
    [Fact]
    public async Task Every_answer_is_there_for_the_terminal_for_programs_and_for_people()
    {
        await using var app = await AdminApp.StartAsync();
        foreach (var endpoint in app.Inbound.App.Services.GetRequiredService<AdminEndpoints>().All)
        {
            var question = endpoint.Path switch
            {
                "/explain" => "host=reviews:9080",
                "/explain/inbound" => "principal=spiffe://cluster.local/ns/default/sa/productpage",
                _ => "",
            };
            foreach (var format in (string[])["", "text", "json", "html"])
            {
                using var response = await app.SendAsync(HttpMethod.Get, $"{endpoint.Path}?{question}&format={format}");
                var text = await response.Content.ReadAsStringAsync();
                response.StatusCode.ShouldBe(HttpStatusCode.OK, $"{endpoint.Path} {format}: {text}");
                response.Headers.CacheControl!.NoStore.ShouldBeTrue();
                response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
                if (response.Content.Headers.ContentType!.MediaType == "application/json")
                {
                    JsonDocument.Parse(text).Dispose();
                }
                else if (response.Content.Headers.ContentType.MediaType == "text/html")
                {
                    text.ShouldStartWith("<!DOCTYPE html>");
                    text.ShouldNotContain("<script");
                    text.ShouldNotContain("src=");
                    text.ShouldNotContain("http://www");
                }
            }
        }
    }

    [Fact]
    public async Task Clusters_are_written_as_Envoy_writes_them()
    {
        await using var app = await AdminApp.StartAsync();

        var lines = (await app.GetAsync("/clusters")).Split('\n');
        lines.ShouldContain("outbound|9080||reviews::default_priority::max_connections::1024");
        lines.ShouldContain("outbound|9080||reviews::127.0.0.1:1001::health_flags::healthy");
        lines.ShouldContain("outbound|9080||reviews::127.0.0.1:1002::weight::1");
        lines.ShouldContain("outbound|9080||reviews::127.0.0.1:1002::rq_total::0");

        using var json = JsonDocument.Parse(await app.GetAsync("/clusters?format=json"));
        var host = json.RootElement.GetProperty("cluster_statuses")[0].GetProperty("host_statuses")[0];
        host.GetProperty("address").GetProperty("socket_address").GetProperty("port_value").GetInt32().ShouldBe(1001);
        host.GetProperty("health_status").GetProperty("eds_health_status").GetString().ShouldBe("UNKNOWN");
    }

    [Fact]
    public async Task The_configuration_is_shown_as_it_was_received()
    {
        await using var app = await AdminApp.StartAsync();

        using var dump = JsonDocument.Parse(await app.GetAsync("/config_dump?include_eds"));
        dump.RootElement.GetProperty("configs").EnumerateArray().Select(c => c.GetProperty("@type").GetString()!.Split('.')[^1])
            .ShouldBe(["ListenersConfigDump", "RoutesConfigDump", "ClustersConfigDump", "EndpointsConfigDump", "SecretsConfigDump"]);
        using var clusters = JsonDocument.Parse(await app.GetAsync("/config_dump?resource=dynamic_active_clusters&name_regex=reviews"));
        clusters.RootElement.GetProperty("configs")[0].GetProperty("cluster").GetProperty("name").GetString().ShouldBe("outbound|9080||reviews");
        using var none = await app.SendAsync(HttpMethod.Get, "/config_dump?name_regex=(((");
        none.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Readiness_says_what_is_missing()
    {
        await using var app = await AdminApp.StartAsync();
        (await app.GetAsync("/ready")).ShouldBe("LIVE\n");

        app.Inbound.RemoveListener(app.Inbound.Listener.Name);

        using var response = await app.SendAsync(HttpMethod.Get, "/ready");
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldStartWith($"INITIALIZING: nobody is let in at {app.Inbound.EndPoint}: ");
    }

    [Fact]
    public async Task Metrics_come_in_the_format_that_is_asked_for()
    {
        await using var app = await AdminApp.StartAsync();
        app.Inbound.App.Services.GetRequiredService<Mesh.Xds.Metrics.MetricRegistry>().Counter("admin_test_total", "For this test.", "who").Cell("me \"quoted\"\n").Add(3);

        var text = await app.GetAsync("/stats/prometheus");
        text.ShouldContain("# TYPE admin_test_total counter\nadmin_test_total{who=\"me \\\"quoted\\\"\\n\"} 3\n");
        using var open = await app.SendAsync(HttpMethod.Get, "/stats/prometheus", ("Accept", "application/openmetrics-text; version=1.0.0"));
        open.Content.Headers.ContentType!.MediaType.ShouldBe("application/openmetrics-text");
        (await open.Content.ReadAsStringAsync()).ShouldEndWith("# EOF\n");
        (await app.GetAsync("/stats?filter=admin_test")).ShouldBe("admin_test_total{who=\"me \\\"quoted\\\"\\n\"}: 3\n");
    }

    [Fact]
    public async Task The_control_plane_learns_where_it_is()
    {
        await using var app = await AdminApp.StartAsync();

        app.Inbound.Xds.Node.Metadata.Fields["MESH_ADMIN"].StringValue.ShouldBe($"http://{app.AdminEndPoint}");
    }

    [Fact]
    public async Task Only_what_changes_something_takes_POST_and_nothing_takes_anything_else()
    {
        await using var app = await AdminApp.StartAsync();

        (await app.SendAsync(HttpMethod.Post, "/clusters")).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await app.SendAsync(HttpMethod.Delete, "/logging")).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await app.SendAsync(HttpMethod.Options, "/logging")).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await app.SendAsync(HttpMethod.Get, "/quitquitquit")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await app.SendAsync(HttpMethod.Head, "/clusters")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_port_there_is_none_and_a_taken_one_is_told_of_at_start()
    {
        await using var without = await AdminApp.StartAsync();
        var taken = without.AdminEndPoint.Port;

        var failure = await Should.ThrowAsync<IOException>(async () => await AdminApp.StartAsync(mesh: o => o.Admin.Port = taken));

        failure.Message.ShouldContain("Mesh:Admin:Port");
        await using var off = await Inbound.InboundApp.StartAsync();
        off.App.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<AdminServer>().Single().EndPoint.ShouldBeNull();
    }

    [Fact]
    public async Task An_application_without_a_web_server_has_an_admin_too()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Services.AddMesh(o =>
        {
            o.Admin.Port = 0;
            o.Xds.Server = "http://127.0.0.1:1";
        });
        using var host = builder.Build();
        await host.StartAsync();
        try
        {
            using var client = new HttpClient();
            var address = host.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<AdminServer>().Single().EndPoint;
            (await client.GetStringAsync($"http://{address}/server_info")).ShouldContain("\"state\"");
        }
        finally
        {
            await host.StopAsync();
        }
    }
}
