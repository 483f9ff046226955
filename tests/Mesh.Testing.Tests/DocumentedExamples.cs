using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;

namespace Mesh.Testing.Tests;

/// <summary>The code of docs/testing.md: what stands there stands here, and runs.</summary>
public sealed class DocumentedExamples
{
    private const string Yaml = """
        apiVersion: v1
        kind: Service
        metadata:
          name: reviews
        spec:
          selector: { app: reviews }
          ports: [{ name: http, port: 9080 }]
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata:
          name: reviews
        spec:
          host: reviews
          subsets:
          - { name: v1, labels: { version: v1 } }
          - { name: v2, labels: { version: v2 } }
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: reviews
        spec:
          hosts: [reviews]
          http:
          - name: jason
            match: [{ headers: { end-user: { exact: jason } } }]
            route: [{ destination: { host: reviews, subset: v2 } }]
          - name: everybody
            route: [{ destination: { host: reviews, subset: v1 } }]
        """;

    [Fact]
    public async Task Jason_reads_the_new_reviews()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        mesh.AddEndpoint("reviews", version: "v1", _ => new HttpResponseMessage { Content = new StringContent("old") });
        mesh.AddEndpoint("reviews", version: "v2", _ => new HttpResponseMessage { Content = new StringContent("new") });

        using var client = mesh.CreateClient("http://reviews:9080");
        client.DefaultRequestHeaders.Add("end-user", "jason");

        Assert.Equal("new", await client.GetStringAsync("/reviews/1"));
    }

    [Fact]
    public async Task The_product_page_shows_the_old_reviews()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        mesh.AddEndpoint("reviews", version: "v1", _ => new HttpResponseMessage { Content = new StringContent("old") });

        await using var application = new WebApplicationFactory<ProductPage>().WithWebHostBuilder(
            host => host.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(mesh.Configure));
        using var browser = application.CreateClient();

        Assert.Contains("old", await browser.GetStringAsync("/productpage"));
    }

    [Fact]
    public async Task Reviews_is_a_test_server()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        await using var reviews = builder.Build();
        reviews.MapGet("/reviews/{id}", (int id) => $"review {id}");
        await reviews.StartAsync();

        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        await using var endpoint = mesh.AddEndpoint("reviews", version: "v1", reviews.GetTestServer().CreateHandler());
        using var client = mesh.CreateClient("http://reviews:9080");
        Assert.Equal("review 7", await client.GetStringAsync("/reviews/7"));

        endpoint.SetHealthy(false);
        await mesh.SettledAsync();
        using var response = await client.GetAsync("/reviews/7");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task The_log_says_why()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        mesh.AddEndpoint("reviews", version: "v1", _ => new HttpResponseMessage());
        using var client = mesh.CreateClient("http://reviews:9080", new MeshWorkload("productpage"));
        using var response = await client.GetAsync("/reviews/1");

        var decision = Assert.Single(mesh.Decisions);
        Assert.Equal("productpage", decision.Source);
        Assert.Equal("everybody", decision.Route);
        Assert.Equal("v1", decision.Endpoint!.Version);
        Assert.Contains("routes[0] 'jason' does not match, it asks for: header end-user is exactly 'jason'", decision.Explanation);
    }

    [Fact]
    public async Task A_rule_changes_while_the_application_runs()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        mesh.AddEndpoint("reviews", version: "v1", _ => new HttpResponseMessage { Content = new StringContent("old") });
        mesh.AddEndpoint("reviews", version: "v2", _ => new HttpResponseMessage { Content = new StringContent("new") });
        using var client = mesh.CreateClient("http://reviews:9080");
        Assert.Equal("old", await client.GetStringAsync("/reviews/1"));

        mesh.Apply("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts: [reviews]
              http:
              - route: [{ destination: { host: reviews, subset: v2 } }]
            """);
        await mesh.SettledAsync();

        Assert.Equal("new", await client.GetStringAsync("/reviews/1"));
    }

    [Fact]
    public async Task A_split_is_exact()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml, options => options.Random = new EvenRandomSource(100));
        mesh.Apply("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts: [reviews]
              http:
              - route:
                - { destination: { host: reviews, subset: v1 }, weight: 90 }
                - { destination: { host: reviews, subset: v2 }, weight: 10 }
            """);
        mesh.AddEndpoint("reviews", version: "v1", _ => new HttpResponseMessage());
        mesh.AddEndpoint("reviews", version: "v2", _ => new HttpResponseMessage());
        using var client = mesh.CreateClient("http://reviews:9080");

        for (var i = 0; i < 100; i++)
        {
            using var response = await client.GetAsync("/reviews/1");
        }

        Assert.Equal(10, mesh.Decisions.Count(d => d.Endpoint!.Version == "v2"));
    }

    [Fact]
    public async Task Two_seconds_pass_at_once()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml);
        var silent = new GatedHandler();
        mesh.AddEndpoint("reviews", version: "v1", silent);
        await using var application = new WebApplicationFactory<ProductPage>().WithWebHostBuilder(
            host => host.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(mesh.Configure));
        using var browser = application.CreateClient();

        var page = browser.GetStringAsync("/productpage");
        await silent.Arrived.Task;
        mesh.Time.Advance(TimeSpan.FromSeconds(2));

        Assert.Contains("currently unavailable", await page);
    }

    [Fact]
    public async Task The_rules_in_the_repository_are_sound()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "mesh"), "*.yaml");
        await using var mesh = await MeshTestHost.StartAsync(string.Join("\n---\n", files.Select(File.ReadAllText)));

        Assert.Empty(mesh.Diagnostics);
    }
}
