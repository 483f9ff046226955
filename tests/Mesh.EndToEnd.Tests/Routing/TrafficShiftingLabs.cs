namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>Subsets of reviews, and what shares of the traffic each gets.</summary>
public sealed class TrafficShiftingLabs
{
    private const int Requests = 1000;
    private const string Reviews = "http://reviews:9080/reviews/0";

    [Fact]
    [Trait("Lab", "A3-13")]
    public async Task Subsets_change_nothing_until_a_route_names_one()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3"));
        (await bookinfo.CountReviewsAsync(60)).Keys.ShouldBe(["v1", "v2", "v3"], ignoreOrder: true);

        foreach (var (version, stars) in new[] { ("v1", ""), ("v2", "5 black stars"), ("v3", "5 red stars") })
        {
            await bookinfo.Mesh.ApplyAsync(LabYaml.Split("reviews", (version, 0)));
            (await bookinfo.CountReviewsAsync(20)).ShouldBe(new Dictionary<string, int> { [version] = 20 });
            (await bookinfo.OpenAsync()).Body.ShouldEndWith(stars);
        }
    }

    [Fact]
    [Trait("Lab", "A3-14")]
    public async Task All_to_the_first_version_never_asks_for_ratings()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.Split("reviews", ("v1", 0)));
        var before = bookinfo.Ratings.Served;

        (await bookinfo.CountReviewsAsync(50)).ShouldBe(new Dictionary<string, int> { ["v1"] = 50 });

        bookinfo.Ratings.Served.ShouldBe(before);
        (await bookinfo.OpenAsync()).Body.ShouldNotContain("stars");
    }

    [Fact]
    [Trait("Lab", "A3-14")]
    public async Task Three_versions_share_the_requests_15_to_25_to_60()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        var even = new EvenRandomSource(Requests);
        var caller = bookinfo.Mesh.Caller(new MeshWorkload("productpage"), even);
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.Split("reviews", ("v1", 15), ("v2", 25), ("v3", 60)));

        // The graph of Kiali is not in: what it would draw is counted here.
        await caller.AskAsync(Reviews);
        even.Begin();
        (await caller.CountAsync(Reviews, Requests)).ShouldBe(new Dictionary<string, int> { ["v1"] = 150, ["v2"] = 250, ["v3"] = 600 }, ignoreOrder: true);

        // And by chance, over all hops; the bounds are four standard deviations and more.
        var pages = await bookinfo.CountReviewsAsync(400);
        pages["v1"].ShouldBeInRange(30, 90);
        pages["v2"].ShouldBeInRange(65, 135);
        pages["v3"].ShouldBeInRange(200, 280);
        pages.Values.Sum().ShouldBe(400);
    }
}
