using System.Net;
using System.Text.Json.Nodes;
using Mesh.Xds.Server.Tests.Security;

namespace Mesh.Xds.Server.Tests.Monitoring;

/// <summary>What a control plane shows of itself, over real connections.</summary>
public sealed class MonitoringTests
{
    private static HttpClient Client(string address) => new() { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(30) };

    [Fact]
    public async Task Every_page_of_the_index_is_there_and_is_JSON()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        using var client = Client(controlPlane.Monitoring);

        using var index = await client.GetAsync("/debug");
        index.StatusCode.ShouldBe(HttpStatusCode.OK);
        index.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        index.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldStartWith("default-src 'none'");
        var links = (await index.Content.ReadAsStringAsync()).Split("href=\"").Skip(1).Select(rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]).ToArray();
        links.ShouldContain("/debug/syncz");
        foreach (var link in links.Except(["/debug/config_dump", "/debug/describez", "/metrics"]))
        {
            using var page = await client.GetAsync(link);
            page.StatusCode.ShouldBe(HttpStatusCode.OK, link);
            page.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
            page.Headers.CacheControl!.NoStore.ShouldBeTrue();
            JsonNode.Parse(await page.Content.ReadAsStringAsync()).ShouldNotBeNull();
        }

        (await client.GetAsync("/debug/config_dump")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await client.GetAsync("/debug/config_dump?proxyID=nobody")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetAsync("/debug/nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        JsonNode.Parse(await client.GetStringAsync("/version"))!["component"]!.GetValue<string>().ShouldBe("mesh-control-plane");
    }

    [Theory]
    [InlineData("Host", "rebound.example")]
    [InlineData("X-Forwarded-For", "192.0.2.7")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task Being_on_this_machine_is_no_proof_for_who_asks_for_somebody_else(string header, string value)
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        using var client = Client(controlPlane.Monitoring);
        async Task<HttpStatusCode> AskAsync(string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/debug/syncz");
            request.Headers.TryAddWithoutValidation(header, value);
            request.Headers.Authorization = token is null ? null : new("Bearer", token);
            using var response = await client.SendAsync(request);
            return response.StatusCode;
        }

        (await AskAsync(null)).ShouldBe(HttpStatusCode.Forbidden);
        (await AskAsync(SecureControlPlane.AdminToken)).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/metrics", null, "text/plain")]
    [InlineData("/stats/prometheus", "application/openmetrics-text; version=1.0.0", "application/openmetrics-text")]
    public async Task Metrics_are_there_in_the_format_that_is_asked_for(string path, string? accept, string expected)
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        using var client = Client(controlPlane.Monitoring);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("accept", accept);
        }

        using var response = await client.SendAsync(request);
        response.Content.Headers.ContentType!.MediaType.ShouldBe(expected);
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldContain("pilot_info{version=");
        text.ShouldContain("citadel_server_root_cert_expiry_timestamp ");
    }

    [Fact]
    public async Task A_wrong_token_opens_nothing_and_nothing_can_be_changed_there()
    {
        await using var controlPlane = await SecureControlPlane.StartAsync();
        using var client = Client(controlPlane.Monitoring);
        client.DefaultRequestHeaders.Authorization = new("Bearer", "wrong-wrong-wrong-wrong");
        foreach (var path in new[] { "/debug", "/debug/syncz", "/debug/nothing", "/metrics", "/stats/prometheus" })
        {
            (await client.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
        }

        client.DefaultRequestHeaders.Authorization = new("Bearer", SecureControlPlane.AdminToken);
        (await client.GetAsync("/debug/syncz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.PostAsync("/debug/syncz", null)).IsSuccessStatusCode.ShouldBeFalse();
    }
}
