using System.Net;

namespace Mesh.Testing.Tests;

public sealed class ConfigurationTests
{
    [Fact]
    public async Task Tells_of_all_errors_at_once()
    {
        var yaml = Yaml.All(
            Yaml.Reviews,
            Yaml.AllV1.Replace("subset: v1", "subsett: v1", StringComparison.Ordinal),
            """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: ratings
            spec:
              hosts:
              - ratings
              http:
              - timeout: soon
                route:
                - destination:
                    host: ratings
            """,
            """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: details
            spec:
              hosts:
              - details
              http:
              - match:
                - uri:
                    regex: "(unclosed"
                route:
                - destination:
                    host: details
            """);

        var exception = await Should.ThrowAsync<MeshConfigException>(MeshTestHost.StartAsync(yaml));

        exception.Diagnostics.Count.ShouldBe(3);
        exception.Diagnostics.ShouldContain(d => d.Contains("subsett"));
        exception.Diagnostics.ShouldContain(d => d.Contains("spec.http[0].timeout"));
        exception.Diagnostics.ShouldContain(d => d.Contains("(unclosed"));
        exception.Message.ShouldContain(exception.Diagnostics[0]);
    }

    [Fact]
    public async Task Keeps_the_last_good_version_of_a_document_that_cannot_be_used()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.AllV1));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        using var client = mesh.CreateClient("http://reviews:9080");

        Should.Throw<MeshConfigException>(() => mesh.Apply(Yaml.AllV2.Replace("route:", "rout:", StringComparison.Ordinal)));
        await mesh.SettledAsync();

        (await client.GetStringAsync("/")).ShouldBe("v1");
    }

    [Fact]
    public async Task Applies_and_deletes_documents()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");
        (await AnswersAsync(client)).ShouldBe(["v1", "v2"]);

        mesh.Apply(Yaml.AllV1);
        await mesh.SettledAsync();
        (await AnswersAsync(client)).ShouldBe(["v1"]);

        mesh.Delete("VirtualService", "reviews");
        await mesh.SettledAsync();
        (await AnswersAsync(client)).ShouldBe(["v1", "v2"]);

        mesh.Delete("Service", "reviews");
        await mesh.SettledAsync();
        using var response = await client.GetAsync("/");
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Says_what_there_is_when_a_document_to_delete_is_not()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);

        var exception = Should.Throw<InvalidOperationException>(() => mesh.Delete("VirtualService", "reviews"));

        exception.Message.ShouldContain("no VirtualService default/reviews");
        exception.Message.ShouldContain("DestinationRule default/reviews");
    }

    // Two routes of one document, so that a request that saw half of a change would show it: path and header decide to the same side.
    [Fact]
    public async Task Flips_under_load_without_a_failed_request_or_a_mixed_answer()
    {
        const int Callers = 8;
        const int Flips = 30;
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Both("v1")), options => options.MaxDecisions = int.MaxValue);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var progress = new SemaphoreSlim(0);

        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                (await client.GetStringAsync(caller % 2 == 0 ? "/reviews/1" : "/other")).ShouldBeOneOf("v1", "v2");
                Interlocked.Increment(ref answered);
                progress.Release();

                // In memory a request may complete without ever leaving its thread; on two cores nobody else would run.
                await Task.Yield();
            }
        })).ToArray();
        for (var flip = 0; flip < Flips; flip++)
        {
            for (var i = 0; i < Callers; i++)
            {
                (await progress.WaitAsync(Guard.Time)).ShouldBeTrue();
            }

            var version = flip % 2 == 0 ? "v2" : "v1";
            mesh.Apply(Both(version));
            await mesh.SettledAsync();
            (await client.GetStringAsync("/other")).ShouldBe(version);
        }

        await stop.CancelAsync();
        await Task.WhenAll(callers);

        answered.ShouldBeGreaterThanOrEqualTo(Callers * Flips);
        mesh.Decisions.Count.ShouldBe(answered + Flips);
        mesh.Decisions.ShouldAllBe(d => d.ResponseFlags == "" && d.Endpoint != null);
        var byVersion = mesh.Decisions.GroupBy(d => d.RouteVersion).ToList();
        byVersion.Count.ShouldBeGreaterThan(1);
        byVersion.ShouldAllBe(decisions => decisions.Select(d => d.Endpoint!.Version).Distinct().Count() == 1);

        static string Both(string version) => $$"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts:
              - reviews
              http:
              - match:
                - uri:
                    prefix: /reviews
                route:
                - destination:
                    host: reviews
                    subset: {{version}}
              - route:
                - destination:
                    host: reviews
                    subset: {{version}}
            """;
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
