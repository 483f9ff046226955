using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;

namespace Mesh.Testing.Tests;

public sealed class EndpointTests
{
    [Fact]
    public async Task Calls_a_test_server()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        await using var reviews = builder.Build();
        reviews.MapGet("/reviews/{id:int}", (int id, HttpRequest request) => $"review {id} at {request.Host}");
        await reviews.StartAsync();

        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", reviews.GetTestServer().CreateHandler());
        using var client = mesh.CreateClient("http://reviews:9080");

        (await client.GetStringAsync("/reviews/7")).ShouldBe("review 7 at reviews:9080");
    }

    [Fact]
    public async Task Sees_endpoints_come_and_go()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        using var client = mesh.CreateClient("http://reviews:9080");
        await ShouldHaveNobody(client);

        await using (mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1")))
        {
            await mesh.SettledAsync();
            (await client.GetStringAsync("/")).ShouldBe("v1");
        }

        await ShouldHaveNobody(client);
        mesh.Decisions.Select(d => d.ResponseFlags).ShouldBe(["UH", "", "UH"]);
    }

    [Fact]
    public async Task Leaves_an_unhealthy_endpoint_alone_until_it_is_well()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        using var client = mesh.CreateClient("http://reviews:9080");
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        var v2 = mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));

        v2.SetHealthy(false);
        await mesh.SettledAsync();
        (await AnswersAsync(client)).ShouldBe(["v1"]);

        v2.SetHealthy(true);
        await mesh.SettledAsync();
        (await AnswersAsync(client)).ShouldBe(["v1", "v2"]);
    }

    [Fact]
    public async Task Finishes_a_request_that_is_under_way_when_its_endpoint_goes()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        var slow = new GatedHandler();
        var endpoint = mesh.AddEndpoint("reviews", version: "v1", slow);
        using var client = mesh.CreateClient("http://reviews:9080");
        var answer = client.GetStringAsync("/");
        await slow.Arrived.Task.WaitAsync(Guard.Time);

        await endpoint.DisposeAsync();

        slow.Answer.SetResult(new HttpResponseMessage { Content = new StringContent("late") });
        (await answer).ShouldBe("late");
    }

    [Fact]
    public async Task Turns_a_broken_connection_into_the_answer_that_Envoy_gives()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", _ => throw new HttpRequestException(HttpRequestError.ConnectionError, "no route to host"));
        using var client = mesh.CreateClient("http://reviews:9080");

        using var response = await client.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        // Istio retries a failed connection twice where nobody says otherwise.
        mesh.Decisions.Count.ShouldBe(3);
        mesh.Decisions.ShouldAllBe(decision => decision.ResponseFlags == "UF,URX" && decision.Endpoint!.Version == "v1");
    }

    [Fact]
    public async Task Answers_at_the_addresses_that_a_ServiceEntry_lists()
    {
        await using var mesh = await MeshTestHost.StartAsync("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata:
              name: payments
            spec:
              hosts:
              - payments.example.com
              ports:
              - number: 80
                name: http
                protocol: HTTP
              resolution: STATIC
              endpoints:
              - address: 10.1.2.3
            """);
        mesh.MapAddress("10.1.2.3:80", new GatedHandler("paid"));
        using var client = mesh.CreateClient("http://payments.example.com");

        (await client.GetStringAsync("/")).ShouldBe("paid");
    }

    [Theory]
    [InlineData("http://[fd00::10]/")]
    [InlineData("http://[fd00::10]:8080/")]
    [InlineData("http://[FD00::0010]:8080/")]
    public async Task Is_called_by_an_IPv6_address_that_a_ServiceEntry_names(string uri)
    {
        await using var mesh = await MeshTestHost.StartAsync("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata:
              name: payments
            spec:
              hosts:
              - payments.example.com
              addresses:
              - fd00::10
              ports:
              - number: 80
                name: http
                protocol: HTTP
              - number: 8080
                name: http-other
                protocol: HTTP
              resolution: STATIC
              endpoints:
              - address: 10.1.2.3
            """);
        mesh.MapAddress("10.1.2.3:80", new GatedHandler("paid"));
        mesh.MapAddress("10.1.2.3:8080", new GatedHandler("paid"));
        using var client = mesh.CreateClient("http://payments.example.com");

        (await client.GetStringAsync(uri)).ShouldBe("paid");
    }

    [Fact]
    public async Task Says_how_to_answer_at_an_address_that_nobody_has()
    {
        await using var mesh = await MeshTestHost.StartAsync("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata:
              name: payments
            spec:
              hosts:
              - payments.example.com
              ports:
              - number: 80
                name: http
                protocol: HTTP
              resolution: STATIC
              endpoints:
              - address: 10.1.2.3
            """);
        using var client = mesh.CreateClient("http://payments.example.com");

        (await Should.ThrowAsync<InvalidOperationException>(client.GetStringAsync("/"))).Message.ShouldContain("MapAddress(\"10.1.2.3:80\", handler)");
        Should.Throw<FormatException>(() => mesh.MapAddress("payments:80", new GatedHandler())).Message.ShouldContain("payments:80");
    }

    [Fact]
    public async Task Places_a_workload_by_its_namespace_and_labels()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint(new MeshWorkload("reviews") { Namespace = "other" }, new GatedHandler("other"));
        mesh.AddEndpoint(new MeshWorkload("reviews") { Version = "v1", Locality = "eu/west/a", Labels = { ["tier"] = "gold" } }, new GatedHandler("here"));
        using var client = mesh.CreateClient("http://reviews:9080");

        (await client.GetStringAsync("/")).ShouldBe("here");

        var endpoint = mesh.Decisions.ShouldHaveSingleItem().Endpoint.ShouldNotBeNull();
        endpoint.Locality.ShouldBe("eu/west/a");
        endpoint.Labels["tier"].ShouldBe("gold");
    }

    private static async Task ShouldHaveNobody(HttpClient client)
    {
        using var response = await client.GetAsync("/");
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("no healthy upstream");
    }

    private static async Task<SortedSet<string>> AnswersAsync(HttpClient client)
    {
        var answers = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 40; i++)
        {
            answers.Add(await client.GetStringAsync("/"));
        }

        return answers;
    }
}
