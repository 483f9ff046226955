using System.Net;

namespace Mesh.Testing.Tests;

/// <summary>Where requests go when nothing is balanced: to the address that the caller named.</summary>
public sealed class PassthroughTests
{
    // The Service alone: its usual DestinationRule is the one that changes here.
    private static readonly string _service = Yaml.Reviews[..Yaml.Reviews.IndexOf("---", StringComparison.Ordinal)];

    private const string Passthrough = """
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata:
          name: reviews
        spec:
          host: reviews
          trafficPolicy:
            loadBalancer:
              simple: PASSTHROUGH
            outlierDetection:
              consecutive5xxErrors: 3
          subsets:
          - name: v1
            labels:
              version: v1
        """;

    [Theory]
    [InlineData("http://reviews:9080", "reviews")]
    [InlineData("http://reviews.default.svc.cluster.local:9080", "reviews.default.svc.cluster.local")]
    public async Task A_service_with_PASSTHROUGH_is_called_at_the_address_that_its_name_has_for_the_caller(string url, string name)
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(_service, Passthrough));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("an endpoint"));
        mesh.MapName(name, "10.96.0.10");
        mesh.MapAddress("10.96.0.10:9080", Answering("what the caller named"));
        using var client = mesh.CreateClient(url);

        for (var i = 0; i < 3; i++)
        {
            (await client.GetStringAsync("/")).ShouldBe("what the caller named");
        }

        await mesh.SettledAsync();
        mesh.Decisions.Last().Endpoint!.Address.ShouldBe($"{name}:9080");
        mesh.Decisions.Last().Cluster.ShouldBe("outbound|9080||reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task A_subset_narrows_nothing_where_the_caller_names_the_address()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(_service, Passthrough, Yaml.AllV1));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("an endpoint"));
        mesh.MapName("reviews", "10.96.0.10");
        mesh.MapAddress("10.96.0.10:9080", Answering("what the caller named"));
        using var client = mesh.CreateClient("http://reviews:9080");

        (await client.GetStringAsync("/")).ShouldBe("what the caller named");
        mesh.Decisions.Last().Cluster.ShouldBe("outbound|9080|v1|reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task Balancing_begins_when_the_rule_is_taken_away_and_ends_when_it_is_back()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(_service, Passthrough));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("an endpoint"));
        mesh.MapName("reviews", "10.96.0.10");
        mesh.MapAddress("10.96.0.10:9080", Answering("what the caller named"));
        using var client = mesh.CreateClient("http://reviews:9080");
        (await client.GetStringAsync("/")).ShouldBe("what the caller named");

        mesh.Delete("DestinationRule", "reviews");
        await mesh.SettledAsync();
        (await client.GetStringAsync("/")).ShouldBe("an endpoint");

        mesh.Apply(Passthrough);
        await mesh.SettledAsync();
        (await client.GetStringAsync("/")).ShouldBe("what the caller named");
    }

    [Fact]
    public async Task A_name_that_DNS_does_not_know_is_told()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(_service, Passthrough));
        using var client = mesh.CreateClient("http://reviews:9080");

        using var response = await client.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("DNS resolution failure: reviews has no addresses");
        mesh.Decisions.Last().ResponseFlags.ShouldBe("DF");
    }

    [Fact]
    public async Task A_ServiceEntry_of_many_names_without_resolution_sends_each_to_its_own_address()
    {
        await using var mesh = await MeshTestHost.StartAsync("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata:
              name: wikipedia
            spec:
              hosts:
              - "*.wikipedia.org"
              ports:
              - number: 80
                name: http
                protocol: HTTP
              location: MESH_EXTERNAL
              resolution: NONE
            """);
        mesh.MapName("en.wikipedia.org", "198.51.100.1");
        mesh.MapName("de.wikipedia.org", "198.51.100.2");
        mesh.MapAddress("198.51.100.1:80", Answering("Hello"));
        mesh.MapAddress("198.51.100.2:80", Answering("Hallo"));
        using var english = mesh.CreateClient("http://en.wikipedia.org");
        using var german = mesh.CreateClient("http://de.wikipedia.org");

        (await english.GetStringAsync("/")).ShouldBe("Hello");
        (await german.GetStringAsync("/")).ShouldBe("Hallo");
        (await english.GetStringAsync("/")).ShouldBe("Hello");

        mesh.Decisions.Last().Cluster.ShouldBe("outbound|80||*.wikipedia.org");
        mesh.Decisions.Last().Endpoint!.Address.ShouldBe("en.wikipedia.org:80");
    }

    private static HttpMessageHandler Answering(string text) => new RespondingHandler(Respond.With(text));
}
