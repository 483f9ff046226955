namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>The first rules of Bookinfo: what may be asked of productpage, and what its answers show.</summary>
public sealed class VirtualServiceLabs
{
    private const string ServiceTime = "x-envoy-upstream-service-time";

    private const string Restricted = """
        apiVersion: networking.istio.io/v1alpha3
        kind: VirtualService
        metadata: {name: bookinfo}
        spec:
          hosts: ["productpage"]
          http:
          - match: [{uri: {exact: /productpage}}, {uri: {prefix: /static}}, {uri: {exact: /login}}, {uri: {exact: /logout}}, {uri: {prefix: /api/v1/products}}]
            route: [{destination: {host: productpage}}]
        """;

    [Fact]
    [Trait("Lab", "A3-10")]
    public async Task Only_the_paths_of_productpage_that_a_rule_names_are_found()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        (await HeadAsync(bookinfo, "/")).Status.ShouldBe(200);

        await bookinfo.Mesh.ApplyAsync(Restricted);

        var refused = await HeadAsync(bookinfo, "/");
        (refused.Status, refused.Flags, refused.Version).ShouldBe((404, "NR", ""));
        var served = bookinfo.ProductPage.Served;
        foreach (var path in new[] { "/productpage/", "/productpage2", "/login/x", "/logoutx", "/api/v1", "/Productpage", "/reviews/0" })
        {
            (await HeadAsync(bookinfo, path)).Status.ShouldBe(404, path);
        }

        bookinfo.ProductPage.Served.ShouldBe(served);

        var page = await HeadAsync(bookinfo, "/productpage");
        (page.Status, page.Headers["content-type"]).ShouldBe((200, "text/html; charset=utf-8"));
        page.Headers.ContainsKey(ServiceTime).ShouldBeTrue();
        foreach (var path in new[] { "/productpage?u=normal", "/static/style.css", "/staticfiles", "/logout", "/api/v1/products", "/api/v1/products/0/reviews" })
        {
            (await HeadAsync(bookinfo, path)).Status.ShouldBe(200, path);
        }

        // Who goes around the mesh goes around the rule.
        using var around = new HttpClient();
        (await around.AskAsync($"http://127.0.0.1:{bookinfo.ProductPage.Port}/")).Status.ShouldBe(200);
    }

    // The lab's own text writes options.stagedTransformations, which is another product's and refused: the rule's headers do it.
    [Fact]
    [Trait("Lab", "A3-11")]
    public async Task The_time_that_the_upstream_took_can_be_taken_out_of_responses()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        (await bookinfo.OpenAsync()).Headers[ServiceTime].ShouldBe("0");

        const string Foreign = """
            - route:
              - destination: {host: productpage}
              options: {stagedTransformations: {early: {}}}
            """;
        bookinfo.Mesh.Refusals(LabYaml.VirtualService("productpage", Foreign)).ShouldHaveSingleItem().ShouldContain("spec.http[0].options: HTTPRoute has no field");

        await bookinfo.Mesh.ApplyAsync(LabYaml.VirtualService("productpage", """
            - route:
              - destination: {host: productpage}
              headers:
                response:
                  remove: [x-envoy-upstream-service-time]
            """));

        var page = await bookinfo.OpenAsync();
        page.Status.ShouldBe(200);
        page.Headers.ContainsKey(ServiceTime).ShouldBeFalse();
        (await bookinfo.Curl.AskAsync("http://reviews:9080/reviews/0")).Headers.ContainsKey(ServiceTime).ShouldBeTrue();
    }

    private static Task<LabAnswer> HeadAsync(Bookinfo bookinfo, string path) => bookinfo.Curl.AskAsync(HttpMethod.Head, "http://productpage:9080" + path);
}
