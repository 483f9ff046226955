using System.Net;

namespace Bookinfo.Tests;

public class ReviewsTests
{
    private const string Text1 = "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!";
    private const string Text2 = "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.";

    [Fact]
    public async Task Version_1_has_no_stars_and_asks_nobody()
    {
        var asked = 0;
        await using var ratings = await Service.ScriptedAsync(_ =>
        {
            Interlocked.Increment(ref asked);
            return Task.CompletedTask;
        });
        await using var reviews = await Service.ReviewsAsync(Service.Find("ratings", ratings));

        (await reviews.Client.GetStringAsync("/reviews/0")).ShouldBe(
            $$"""{"id":"0","podname":"null","clustername":"null","reviews":[{"reviewer":"Reviewer1","text":"{{Text1}}"},{"reviewer":"Reviewer2","text":"{{Text2}}"}]}""");
        asked.ShouldBe(0);
    }

    [Theory]
    [InlineData(null, "black")]
    [InlineData("red", "red")]
    public async Task Versions_2_and_3_have_stars_of_their_colour(string? configured, string colour)
    {
        await using var ratings = await Service.RatingsAsync();
        await using var reviews = await Service.ReviewsAsync(new(Service.Find("ratings", ratings))
        {
            ["ENABLE_RATINGS"] = "true",
            ["STAR_COLOR"] = configured,
            ["HOSTNAME"] = "reviews-x",
            ["CLUSTER_NAME"] = "east",
        });

        (await reviews.Client.GetStringAsync("/reviews/7")).ShouldBe(
            $$$"""{"id":"7","podname":"reviews-x","clustername":"east","reviews":[{"reviewer":"Reviewer1","text":"{{{Text1}}}","rating":{"stars":5,"color":"{{{colour}}}"}},{"reviewer":"Reviewer2","text":"{{{Text2}}}","rating":{"stars":4,"color":"{{{colour}}}"}}]}""");
    }

    [Fact]
    public async Task A_ratings_service_that_fails_costs_the_stars_only()
    {
        await using var ratings = await Service.RatingsAsync("v2");
        await using var reviews = await Service.ReviewsAsync(new(Service.Find("ratings", ratings)) { ["ENABLE_RATINGS"] = "true" });

        var body = await reviews.Client.GetStringAsync("/reviews/0");

        body.Split("""
            "rating":{"error":"Ratings service is currently unavailable"}
            """).Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_reviewer_without_rating_is_alone_without_stars()
    {
        await using var ratings = await Service.ScriptedAsync(context => context.Response.WriteAsync("""{"id":0,"ratings":{"Reviewer2":3}}"""));
        await using var reviews = await Service.ReviewsAsync(new(Service.Find("ratings", ratings)) { ["ENABLE_RATINGS"] = "true" });

        var body = await reviews.Client.GetStringAsync("/reviews/0");

        body.ShouldContain("""refreshing!","rating":{"error":"Ratings service is currently unavailable"}}""");
        body.ShouldContain(""""rating":{"stars":3,"color":"black"}"""");
    }

    [Theory]
    [InlineData("black", 10)]
    [InlineData("red", 2.5)]
    public async Task Waits_ten_seconds_for_black_stars_and_two_and_a_half_for_others(string colour, double seconds)
    {
        var time = new ManualTimeProvider();
        var arrived = new TaskCompletionSource();
        await using var ratings = await Service.ScriptedAsync(async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var reviews = await Service.ReviewsAsync(
            new(Service.Find("ratings", ratings)) { ["ENABLE_RATINGS"] = "true", ["STAR_COLOR"] = colour }, time);

        var page = reviews.Client.GetStringAsync("/reviews/0");
        await arrived.Task.WaitAsync(Guard.Hang);
        time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
        page.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromTicks(1));

        (await page.WaitAsync(Guard.Hang)).ShouldContain("Ratings service is currently unavailable");
    }

    [Fact]
    public async Task Forwards_exactly_the_headers_that_traces_users_and_rules_need()
    {
        HashSet<string>? received = null;
        await using var ratings = await Service.ScriptedAsync(context =>
        {
            received = [.. context.Request.Headers.Where(header => header.Value == "kept").Select(header => header.Key.ToLowerInvariant())];
            return context.Response.WriteAsync("{}");
        });
        await using var reviews = await Service.ReviewsAsync(new(Service.Find("ratings", ratings)) { ["ENABLE_RATINGS"] = "true" });
        string[] forwarded =
        [
            "x-request-id", "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority", "traceparent",
            "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled",
            "x-b3-flags", "sw8", "end-user", "user-agent", "cookie", "authorization", "jwt",
        ];

        using var request = new HttpRequestMessage(HttpMethod.Get, "/reviews/0");
        foreach (var name in forwarded.Append("x-secret").Append("accept-language"))
        {
            request.Headers.TryAddWithoutValidation(name, "kept");
        }

        using var response = await reviews.Client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        received.ShouldNotBeNull().Order().ShouldBe(forwarded.Order());
    }

    [Theory]
    [InlineData("/reviews/abc", HttpStatusCode.NotFound)]
    [InlineData("/reviews/1.5", HttpStatusCode.NotFound)]
    [InlineData("/reviews/99999999999", HttpStatusCode.NotFound)]
    [InlineData("/reviews/-1", HttpStatusCode.OK)]
    public async Task Knows_products_by_integer_only(string path, HttpStatusCode status)
    {
        await using var reviews = await Service.ReviewsAsync([]);

        using var response = await reviews.Client.GetAsync(path);

        response.StatusCode.ShouldBe(status);
    }

    [Fact]
    public async Task Is_healthy_with_a_space()
    {
        await using var reviews = await Service.ReviewsAsync([]);

        (await reviews.Client.GetStringAsync("/health")).ShouldBe("""{"status": "Reviews is healthy"}""");
    }
}
