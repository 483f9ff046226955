namespace Mesh.EndToEnd.Tests.Faults;

/// <summary>A service that is made slow for those who call it.</summary>
public sealed class DelayLabs
{
    private const string Rating = "http://rating:9080/ratings/0";
    private const string Reviews = "http://reviews:9080/reviews/0";

    [Fact]
    [Trait("Lab", "C11")]
    public async Task Every_consumer_waits_two_seconds_for_an_answer()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("rating", 9080));
        var rating = await mesh.AddPodAsync("rating");
        HttpClient[] consumers = [.. new[] { "reviews", "productpage", "sleep" }.Select(name => mesh.Caller(new MeshWorkload(name)))];
        foreach (var client in consumers)
        {
            (await client.AskAsync(Rating)).Flags.ShouldBeEmpty();
        }

        await mesh.ApplyAsync(LabYaml.VirtualService("rating", """
            - fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}
              route: [{destination: {host: rating}}]
            """));
        foreach (var client in consumers)
        {
            for (var i = 0; i < 3; i++)
            {
                await DelayedAsync(mesh, rating, client);
            }
        }

        await mesh.DeleteAsync("VirtualService", "rating");
        foreach (var client in consumers)
        {
            (await client.AskAsync(Rating)).Flags.ShouldBeEmpty();
        }
    }

    [Fact]
    [Trait("Lab", "C11")]
    public async Task A_timeout_further_up_ends_the_wait_and_one_beside_the_delay_does_not()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("rating", 9080) + LabYaml.Service("reviews", 9080));
        var rating = await mesh.AddPodAsync("rating");
        var reviews = mesh.Caller(new MeshWorkload("reviews"));
        using var ended = new SemaphoreSlim(0);
        await mesh.AddPodAsync("reviews", "v2", async context =>
        {
            try
            {
                // Whoever gives this request up, gives up the one behind it.
                using var response = await reviews.GetAsync(Rating, context.RequestAborted);
                await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
            }
            finally
            {
                ended.Release();
            }
        });
        var productpage = mesh.Caller(new MeshWorkload("productpage"));
        (await productpage.AskAsync(Reviews)).Body.ShouldBe(rating.Name);
        await ended.WaitAsync().OrHang();
        await mesh.ApplyAsync(
            LabYaml.VirtualService("rating", """
                - fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}
                  timeout: 0.5s
                  route: [{destination: {host: rating}}]
                """)
            + LabYaml.VirtualService("reviews", """
                - timeout: 0.5s
                  route: [{destination: {host: reviews}}]
                """));

        // Who asks reviews has a timeout of its own, and it passes while reviews waits.
        var served = rating.Served;
        var page = productpage.AskAsync(Reviews);
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(0.5)).OrHang();
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).OrHang();
        mesh.Time.Advance(TimeSpan.FromMilliseconds(499));
        ShouldEndIn(mesh, TimeSpan.FromMilliseconds(1), "the timeout");
        mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await page.OrHang()).ShouldSatisfyAllConditions(
            a => a.Status.ShouldBe(504),
            a => a.Body.ShouldBe("upstream request timeout"),
            a => a.Flags.ShouldBe("UT"));
        await ended.WaitAsync().OrHang();
        rating.Served.ShouldBe(served);

        // The delay of a rule comes before its timeout begins, as in Envoy, where the filter holds the request back from the router.
        await DelayedAsync(mesh, rating, reviews);
    }

    private static async Task DelayedAsync(PodMesh mesh, Pod rating, HttpClient client)
    {
        var served = rating.Served;
        var answer = client.AskAsync(Rating);
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).OrHang();

        mesh.Time.Advance(TimeSpan.FromMilliseconds(1999));
        ShouldEndIn(mesh, TimeSpan.FromMilliseconds(1), "the delay");
        rating.Served.ShouldBe(served, "it is the request that is held back");

        mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await answer.OrHang()).ShouldSatisfyAllConditions(
            a => a.Status.ShouldBe(200),
            a => a.Body.ShouldBe(rating.Name),
            a => a.Flags.ShouldContain("DI"));
        rating.Served.ShouldBe(served + 1);
    }

    private static void ShouldEndIn(PodMesh mesh, TimeSpan left, string what)
        => mesh.Time.WaitForTimerAsync(left).IsCompleted.ShouldBeTrue($"{what} is not over");
}
