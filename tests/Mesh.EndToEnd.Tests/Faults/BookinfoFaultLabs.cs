namespace Mesh.EndToEnd.Tests.Faults;

/// <summary>Faults in Bookinfo: pages lose a part of themselves, and do not break.</summary>
public sealed class BookinfoFaultLabs
{
    private const string Ratings = "http://ratings:9080/ratings/0";
    private const string Details = "http://details:9080/details/0";

    private const string Abort = """
        kind: VirtualService
        apiVersion: networking.istio.io/v1beta1
        metadata: {name: ratings, namespace: default}
        spec:
          hosts: [ratings]
          http:
          - fault: {abort: {httpStatus: 403, percentage: {value: 30}}}
            route: [{destination: {host: ratings}}]
        """;

    private const string AbortOfOne = """
        kind: VirtualService
        apiVersion: networking.istio.io/v1beta1
        metadata: {name: ratings, namespace: default}
        spec:
          hosts: [ratings]
          http:
          - match: [{headers: {end-user: {exact: testing-user}}}]
            fault: {abort: {httpStatus: 403, percentage: {value: 30}}}
            route: [{destination: {host: ratings}}]
          - route: [{destination: {host: ratings}}]
        """;

    // Kiali, which shows a "Black Hole", is not in.
    [Fact]
    [Trait("Lab", "A3-18")]
    public async Task Thirty_percent_of_the_calls_to_ratings_are_answered_403_and_the_pages_do_without_stars()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.Split("reviews", ("v2", 0)) + Abort);
        var even = new EvenRandomSource(1000);
        var reviews = bookinfo.Mesh.Caller(new MeshWorkload("reviews") { Version = "v2" }, even);
        await reviews.AskAsync(Ratings);
        var served = bookinfo.Ratings.Served;

        // Each request draws twice: 500 of them draw each of the 1000 once.
        even.Begin();
        (await reviews.CountAsync(Ratings, 500)).ShouldBe(new Dictionary<string, int> { ["403"] = 150, ["v1"] = 350 }, ignoreOrder: true);
        bookinfo.Ratings.Served.ShouldBe(served + 350);

        // And by chance, over all hops; the bounds are four standard deviations.
        var without = 0;
        for (var i = 0; i < 300; i++)
        {
            var page = await bookinfo.OpenAsync();
            page.Status.ShouldBe(200);
            page.Body.ShouldContain("<u>reviews-v2</u>");
            without += page.Body.Contains(Bookinfo.NoRatings, StringComparison.Ordinal) ? 1 : 0;
        }

        without.ShouldBeInRange(58, 122);
    }

    [Fact]
    [Trait("Lab", "A3-18")]
    public async Task A_fault_for_one_user_is_no_fault_for_others()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.Split("reviews", ("v2", 0)) + AbortOfOne);
        var even = new EvenRandomSource(1000);
        var reviews = bookinfo.Mesh.Caller(new MeshWorkload("reviews") { Version = "v2" }, even);
        await reviews.AskAsync(Ratings);

        even.Begin();
        (await reviews.CountAsync(Ratings, 500, ("end-user", "testing-user"))).ShouldBe(new Dictionary<string, int> { ["403"] = 150, ["v1"] = 350 }, ignoreOrder: true);
        (await reviews.CountAsync(Ratings, 200)).ShouldBe(new Dictionary<string, int> { ["v1"] = 200 });

        (await CountBrokenAsync(bookinfo, 100)).ShouldBe(0);
        (await CountBrokenAsync(bookinfo, 100, ("end-user", "alice"))).ShouldBe(0);
        (await CountBrokenAsync(bookinfo, 100, ("end-user", "testing-user"))).ShouldBeInRange(11, 49);
    }

    [Fact]
    [Trait("Lab", "A3-19")]
    public async Task A_delay_of_seven_seconds_costs_the_page_three_and_its_details_and_one_of_two_seconds_costs_two()
    {
        var chance = new LevelRandomSource { Level = 0.75 };
        await using var bookinfo = await Bookinfo.StartAsync(chance);
        await bookinfo.Mesh.ApplyAsync(Delay("7.000s"));
        await ShouldTakeAsync(bookinfo, TimeSpan.Zero, delay: null, details: true);

        chance.Level = 0.25;
        await ShouldTakeAsync(bookinfo, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(7), details: false);

        await bookinfo.Mesh.ApplyAsync(Delay("2.000s"));
        await ShouldTakeAsync(bookinfo, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), details: true);

        chance.Level = 0.75;
        await ShouldTakeAsync(bookinfo, TimeSpan.Zero, delay: null, details: true);
    }

    [Fact]
    [Trait("Lab", "A3-19")]
    public async Task The_older_percent_delays_half_of_the_calls_to_details()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        var even = new EvenRandomSource(200);
        var caller = bookinfo.Mesh.Caller(new MeshWorkload("productpage"), even);
        (await caller.AskAsync(Details)).Status.ShouldBe(200);
        await bookinfo.Mesh.ApplyAsync(Delay("7.000s"));

        even.Begin();
        var asking = Enumerable.Range(0, 100).Select(_ => caller.AskAsync(Details)).ToList();
        var answers = new List<LabAnswer>();
        await foreach (var done in Task.WhenEach(asking))
        {
            answers.Add(await done);
            if (answers.Count == 50)
            {
                bookinfo.Mesh.Time.Advance(TimeSpan.FromMilliseconds(6999));
                asking.Count(task => task.IsCompleted).ShouldBe(50);
                bookinfo.Mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
            }
        }

        answers.Select(answer => answer.Flags).ShouldBe(Enumerable.Repeat("", 50).Concat(Enumerable.Repeat("DI", 50)));
        answers.ShouldAllBe(answer => answer.Status == 200 && answer.Body == "details of the book");
    }

    private static async Task<int> CountBrokenAsync(Bookinfo bookinfo, int pages, params (string Name, string Value)[] headers)
    {
        var broken = 0;
        for (var i = 0; i < pages; i++)
        {
            broken += (await bookinfo.OpenAsync(headers)).Body.Contains(Bookinfo.NoRatings, StringComparison.Ordinal) ? 1 : 0;
        }

        return broken;
    }

    private static async Task ShouldTakeAsync(Bookinfo bookinfo, TimeSpan expected, TimeSpan? delay, bool details)
    {
        var time = bookinfo.Mesh.Time;
        var opening = bookinfo.OpenAsync();
        if (delay is { } injected)
        {
            await time.WaitForTimerAsync(Bookinfo.DetailsPatience).OrHang();
            await time.WaitForTimerAsync(injected).OrHang();
            time.Advance(expected - TimeSpan.FromMilliseconds(1));
            opening.IsCompleted.ShouldBeFalse();
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var page = await opening;
        Bookinfo.Took(page).ShouldBe(expected);
        page.Body.Contains(Bookinfo.NoDetails, StringComparison.Ordinal).ShouldBe(!details);
        page.Body.ShouldContain("<u>reviews-");
    }

    private static string Delay(string fixedDelay) => $$"""
        kind: VirtualService
        apiVersion: networking.istio.io/v1beta1
        metadata: {name: details, namespace: default}
        spec:
          hosts: [details]
          http:
          - route: [{destination: {host: details} }]
            fault: {delay: {percent: 50, fixedDelay: {{fixedDelay}} } }
        """;
}
