using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Bookinfo closed to everybody, and opened service by service.</summary>
public sealed class BookinfoAuthorizationLabs
{
    private const string Denied = "RBAC: access denied";
    private const string Page = "http://productpage.default:9080/productpage";

    [Fact]
    [Trait("Lab", "A3-22")]
    [Trait("Lab", "A3-23")]
    [Trait("Lab", "A3-24")]
    public async Task Deny_all_then_operations_then_accounts()
    {
        await using var mesh = await PodMesh.StartAsync(string.Concat(new[] { "productpage", "details", "reviews", "ratings" }.Select(name => LabYaml.Service(name, 9080))));
        await mesh.AddMeshPodAsync("details", LabPods.Text("details"), account: "bookinfo-details");
        var ratings = await mesh.AddMeshPodAsync("ratings", LabPods.Text("stars"), account: "bookinfo-ratings");
        HttpClient? reviewsClient = null;
        HttpClient? pageClient = null;
        var reviews = await mesh.AddMeshPodAsync("reviews", async context => await context.Response.WriteAsync($"reviews with {(await reviewsClient!.AskAsync("http://ratings:9080/ratings/0")).Body}"), account: "bookinfo-reviews");
        var productpage = await mesh.AddMeshPodAsync(
            "productpage",
            async context => await context.Response.WriteAsync(
                $"{(await pageClient!.AskAsync("http://details:9080/details/0")).Body}; {(await pageClient!.AskAsync("http://reviews:9080/reviews/0")).Body}"),
            account: "bookinfo-productpage");
        (reviewsClient, pageClient) = (reviews.Client, productpage.Client);
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system")).Client;
        (await gateway.AskAsync(Page)).Body.ShouldBe("details; reviews with stars");

        // 22: nothing.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("allow-nothing", "{}"));
        (await gateway.AskAsync(Page)).Status.ShouldBe(403);

        // 23: the page, by its operations.
        await mesh.ApplyAsync(SecurityYaml.AuthorizationPolicy("allow-productpage", """
            {selector: {matchLabels: {app: productpage}}, action: ALLOW, rules: [{to: [
              {operation: {methods: [GET], paths: ["/logout", "/static/*", "/productpage", "/api/v1/products"]}},
              {operation: {methods: [POST], paths: ["/login"]}}]}]}
            """));
        (await gateway.AskAsync(Page)).Body.ShouldBe($"{Denied}; {Denied}");
        (await gateway.AskAsync("http://productpage.default:9080/static/a/b.css")).Status.ShouldBe(200);
        (await gateway.AskAsync("http://productpage.default:9080/api/v1/products")).Status.ShouldBe(200);
        (await gateway.AskAsync("http://productpage.default:9080/api/v1/products/0")).Status.ShouldBe(403);
        (await gateway.AskAsync(HttpMethod.Post, "http://productpage.default:9080/login")).Status.ShouldBe(200);
        (await gateway.AskAsync(HttpMethod.Head, Page)).Status.ShouldBe(403);

        // 24: the others, by who asks.
        await mesh.ApplyAsync(Allow("details", "bookinfo-productpage", "/details/*"));
        (await gateway.AskAsync(Page)).Body.ShouldBe($"details; {Denied}");
        (await ratings.Client.AskAsync("http://details:9080/details/0")).Body.ShouldBe(Denied);
        await mesh.ApplyAsync(Allow("reviews", "bookinfo-productpage", "/reviews/*"));
        (await gateway.AskAsync(Page)).Body.ShouldBe($"details; reviews with {Denied}");
        await mesh.ApplyAsync(Allow("ratings", "bookinfo-reviews", "/ratings/*"));
        (await gateway.AskAsync(Page)).Body.ShouldBe("details; reviews with stars");
    }

    private static string Allow(string app, string account, string paths)
        => SecurityYaml.AuthorizationPolicy($"allow-{app}", $$"""
            {selector: {matchLabels: {app: {{app}} } }, action: ALLOW, rules: [{
              from: [{source: {principals: [cluster.local/ns/default/sa/{{account}}]} }],
              to: [{operation: {methods: [GET], paths: ["{{paths}}"]} }]}]}
            """);
}
