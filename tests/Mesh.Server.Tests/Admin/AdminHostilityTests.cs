using System.Net;
using System.Text.Json;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Tests;
using Mesh.Server.Admin;
using Mesh.Server.Tests.Inbound;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Admin;

/// <summary>What is hostile in requests or in configuration stays text, and what is secret is nowhere.</summary>
public sealed class AdminHostilityTests
{
    private const string HostileCluster = $"bad\ncluster::added_via_api::{Script}";
    private const string Script = "<script>alert(1)</script>\"'&";

    [Theory]
    [InlineData("/explain?host={0}")]
    [InlineData("/explain?host=reviews:9080&path=/{0}")]
    [InlineData("/explain?host=reviews:9080&header=end-user:{0}")]
    [InlineData("/explain?host=reviews:9080&method={0}&draw={0}")]
    [InlineData("/explain/inbound?path=/{0}&principal={0}&claim={0}")]
    [InlineData("/stats?filter={0}")]
    [InlineData("/clusters?filter={0}")]
    [InlineData("/config_dump?resource={0}")]
    [InlineData("/decisions?number={0}")]
    public async Task What_a_request_says_is_never_read_as_HTML(string path)
    {
        await using var app = await AdminApp.StartAsync();
        foreach (var format in (string[])["html", "json", "text"])
        {
            using var response = await app.SendAsync(HttpMethod.Get, string.Format(null, path, Uri.EscapeDataString(Script)) + $"&format={format}");

            var text = await response.Content.ReadAsStringAsync();
            if (response.Content.Headers.ContentType?.MediaType is "text/html" or "application/json")
            {
                text.ShouldNotContain("<script", Case.Insensitive);
            }

            response.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'; style-src 'sha256-");
            ((int)response.StatusCode).ShouldBeLessThan(500);
        }
    }

    [Fact]
    public async Task What_a_control_plane_names_things_is_never_read_as_HTML_nor_as_another_line()
    {
        await using var app = await AdminApp.StartAsync(routes: routes =>
        {
            routes.VirtualHosts[0].Name = Script;
            var route = Resources.Prefix($"/{Script}", "outbound|9080||reviews", Script);
            route.Match.Headers.Add(new HeaderMatcher { Name = "end-user", StringMatch = new() { Exact = Script } });
            routes.VirtualHosts[0].Routes.Insert(0, route);
            routes.VirtualHosts[0].Routes.Insert(0, Resources.Prefix("/x", HostileCluster));
        }, clusters: HostileCluster);
        foreach (var endpoint in app.Inbound.App.Services.GetRequiredService<AdminEndpoints>().All)
        {
            using var response = await app.SendAsync(HttpMethod.Get, $"{endpoint.Path}?host=reviews:9080&format=html");
            if (endpoint.Path == "/stats/prometheus")
            {
                // Text that is always text: a label is quoted, and no browser looks for anything else in it.
                (response.Content.Headers.ContentType?.MediaType, string.Join(',', response.Headers.GetValues("x-content-type-options"))).ShouldBe(("text/plain", "nosniff"));
                continue;
            }

            (await response.Content.ReadAsStringAsync()).ShouldNotContain("<script", Case.Insensitive);
        }

        (await app.GetAsync("/clusters")).Split('\n').ShouldNotContain(l => l.StartsWith("cluster::added_via_api", StringComparison.Ordinal));
        (await app.GetAsync("/routes?format=html")).ShouldContain("&lt;script&gt;");
    }

    [Fact]
    public async Task Secrets_are_in_no_answer()
    {
        await using var app = await AdminApp.StartAsync(
            mesh: options => options.Admin.RecordedDecisions = 10,
            routes: routes =>
            {
                routes.RequestHeadersToAdd.Add(new HeaderValueOption { Header = new HeaderValue { Key = "authorization", Value = $"Bearer {AdminApp.Secret}" } });
                var route = Resources.Prefix("/guarded", "outbound|9080||reviews");
                route.Match.Headers.Add(new HeaderMatcher { Name = "x-api-key", StringMatch = new() { Exact = AdminApp.Secret } });
                routes.VirtualHosts[0].Routes.Insert(0, route);
            });
        using var certificate = app.Inbound.Workload();
        var secret = Listeners.CertificateSecret("own", certificate);
        var key = secret.TlsCertificate.PrivateKey.InlineString;
        secret.TlsCertificate.Password = new DataSource { InlineString = AdminApp.Secret };
        app.Inbound.Xds.Set(DataPlane.Tls.SecretType.Instance, Listeners.CertificateSecret("own", certificate));

        // A request that carries some, on record.
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://reviews:9080/?access_token={AdminApp.Secret}");
        request.Headers.TryAddWithoutValidation("authorization", $"Bearer {AdminApp.Secret}");
        request.Headers.TryAddWithoutValidation("cookie", $"session={AdminApp.Secret}");
        var log = app.Inbound.App.Services.GetRequiredService<DecisionLog>();
        log.OnRouted(request);
        var host = app.Engine.Hosts.All.Single(h => h.Key.Host == "reviews");
        var decision = app.Engine.Decisions.Decide(host.State, new("/", "GET", "reviews:9080", "http", DataPlane.Upstream.HttpRequestHeaderReader.Instance, request), 0);
        log.OnDecided(host, request, 0, decision);

        var pem = key.Split('\n')[1];
        foreach (var endpoint in app.Inbound.App.Services.GetRequiredService<AdminEndpoints>().All)
        {
            foreach (var query in (string[])["format=html", "format=json", "format=text", "include_eds", "number=0&format=html", "number=0", "host=reviews:9080&path=/guarded"])
            {
                var text = await (await app.SendAsync(HttpMethod.Get, $"{endpoint.Path}?{query}")).Content.ReadAsStringAsync();
                text.Contains(AdminApp.Secret, StringComparison.Ordinal).ShouldBeFalse($"{endpoint.Path}?{query}: {text}");
                text.Contains(pem, StringComparison.Ordinal).ShouldBeFalse($"{endpoint.Path}?{query}");
                text.Contains("PRIVATE KEY", StringComparison.Ordinal).ShouldBeFalse($"{endpoint.Path}?{query}");
            }
        }

        (await app.GetAsync("/certs")).ShouldContain("spiffe://cluster.local/ns/default/sa/client");
        (await app.GetAsync("/decisions?number=0")).ShouldContain("\"replay_agrees\": true");
        (await app.GetAsync("/config_dump")).ShouldContain("[redacted]");
    }

    [Fact]
    public async Task Refusals_repeat_nothing_of_the_request_in_the_log()
    {
        await using var app = await AdminApp.StartAsync();

        using var response = await app.SendAsync(HttpMethod.Get, "/clusters", ("Host", "evil.example"), ("Origin", "http://evil.example"));

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        app.Logs.Lines.ShouldContain(l => l.Contains("The admin did not answer 127.0.0.1", StringComparison.Ordinal));
        app.Logs.Lines.ShouldNotContain(l => l.Contains("Mesh.Server.Admin", StringComparison.Ordinal) && l.Contains("evil.example", StringComparison.Ordinal));
    }

    [Fact]
    public async Task JSON_of_hostile_names_is_JSON()
    {
        await using var app = await AdminApp.StartAsync(routes: r => r.VirtualHosts[0].Name = "\"},{\u2028</script>");

        using var json = JsonDocument.Parse(await app.GetAsync("/routes"));
        json.RootElement.GetProperty("hosts")[0].GetProperty("virtual_host").GetProperty("name").GetString().ShouldBe("\"},{\u2028</script>");
    }
}
