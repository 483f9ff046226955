using System.Net;
using System.Text;

namespace Bookinfo.Tests;

public class RatingsTests
{
    private const string Default = """{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}""";
    private const ulong Heads = 0;
    private const ulong Tails = 1;

    [Fact]
    public async Task Gives_five_and_four_stars_until_somebody_posts_others()
    {
        await using var ratings = await Service.RatingsAsync();
        (await ratings.Client.GetStringAsync("/ratings/0")).ShouldBe(Default);

        using var posted = await PostAsync(ratings, "/ratings/0", """{"Reviewer1": 1, "é": "<b>"}""");

        posted.StatusCode.ShouldBe(HttpStatusCode.OK);
        posted.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await posted.Content.ReadAsStringAsync()).ShouldBe("""{"id":0,"ratings":{"Reviewer1":1,"é":"<b>"}}""");
        (await ratings.Client.GetStringAsync("/ratings/0")).ShouldBe("""{"id":0,"ratings":{"Reviewer1":1,"é":"<b>"}}""");
        (await ratings.Client.GetStringAsync("/ratings/1")).ShouldBe("""{"id":1,"ratings":{"Reviewer1":5,"Reviewer2":4}}""");
    }

    [Theory]
    [InlineData("/ratings/7", 7)]
    [InlineData("/ratings/12abc", 12)]
    [InlineData("/ratings/-3", -3)]
    [InlineData("/ratings/5/6", 6)]
    [InlineData("/ratings/8?x=9", 8)]
    public async Task Reads_the_id_as_generously_as_parseInt(string path, long id)
    {
        await using var ratings = await Service.RatingsAsync();

        (await ratings.Client.GetStringAsync(path)).ShouldStartWith($$"""{"id":{{id}},""");
    }

    [Theory]
    [InlineData("/ratings/abc")]
    [InlineData("/ratings/")]
    [InlineData("/ratings/-")]
    public async Task Refuses_an_id_without_a_number(string path)
    {
        await using var ratings = await Service.RatingsAsync();

        foreach (var response in new[] { await ratings.Client.GetAsync(path), await PostAsync(ratings, path, "{}") })
        {
            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await response.Content.ReadAsStringAsync()).ShouldBe("""{"error":"please provide numeric product ID"}""");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("five stars")]
    public async Task Refuses_a_body_that_is_no_JSON(string body)
    {
        await using var ratings = await Service.RatingsAsync();

        using var response = await PostAsync(ratings, "/ratings/0", body);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"error":"please provide valid ratings JSON"}""");
        (await ratings.Client.GetStringAsync("/ratings/0")).ShouldBe(Default);
    }

    [Fact]
    public async Task Version_2_answers_as_with_an_unreachable_database_and_takes_no_posts()
    {
        await using var ratings = await Service.RatingsAsync("v2");

        using var read = await ratings.Client.GetAsync("/ratings/0");
        read.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await read.Content.ReadAsStringAsync()).ShouldBe("""{"error":"could not connect to ratings database"}""");

        using var posted = await PostAsync(ratings, "/ratings/0", "{}");
        posted.StatusCode.ShouldBe(HttpStatusCode.NotImplemented);
        (await posted.Content.ReadAsStringAsync()).ShouldBe("""{"error":"Post not implemented for database backed ratings"}""");

        using var broken = await PostAsync(ratings, "/ratings/0", "{");
        broken.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Version_faulty_fails_one_half_of_the_calls()
    {
        await using var ratings = await Service.RatingsAsync("v-faulty", random: new ScriptedRandom(Heads, Tails));

        using var failed = await ratings.Client.GetAsync("/ratings/0");
        failed.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await failed.Content.ReadAsStringAsync()).ShouldBe("""{"error":"Service unavailable"}""");

        (await ratings.Client.GetStringAsync("/ratings/0")).ShouldBe(Default);
    }

    [Fact]
    public async Task Version_delayed_holds_one_half_of_the_calls_for_seven_seconds()
    {
        var time = new ManualTimeProvider();
        await using var ratings = await Service.RatingsAsync("v-delayed", time, new ScriptedRandom(Heads, Tails));

        var slow = ratings.Client.GetStringAsync("/ratings/0");
        await time.TimerAsync(TimeSpan.FromSeconds(7));
        (await ratings.Client.GetStringAsync("/ratings/0")).ShouldBe(Default);
        slow.IsCompleted.ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(7));
        (await slow.WaitAsync(Guard.Hang)).ShouldBe(Default);
    }

    [Fact]
    public async Task Version_unavailable_changes_its_mind_every_minute()
    {
        var time = new ManualTimeProvider();
        await using var ratings = await Service.RatingsAsync("v-unavailable", time);

        await ShouldAnswerAsync(ratings, "/ratings/0", HttpStatusCode.OK);
        time.Advance(TimeSpan.FromSeconds(60));
        await ShouldAnswerAsync(ratings, "/ratings/0", HttpStatusCode.ServiceUnavailable);
        await ShouldAnswerAsync(ratings, "/health", HttpStatusCode.OK);
        time.Advance(TimeSpan.FromSeconds(60));
        await ShouldAnswerAsync(ratings, "/ratings/0", HttpStatusCode.OK);
    }

    [Fact]
    public async Task Version_unhealthy_says_so_every_other_quarter_of_an_hour()
    {
        var time = new ManualTimeProvider();
        await using var ratings = await Service.RatingsAsync("v-unhealthy", time);
        (await ratings.Client.GetStringAsync("/health")).ShouldBe("""{"status":"Ratings is healthy"}""");

        time.Advance(TimeSpan.FromMinutes(15));
        await ShouldAnswerAsync(ratings, "/ratings/0", HttpStatusCode.ServiceUnavailable);
        using var health = await ratings.Client.GetAsync("/health");
        health.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await health.Content.ReadAsStringAsync()).ShouldBe("""{"status":"Ratings is not healthy"}""");

        time.Advance(TimeSpan.FromMinutes(15));
        await ShouldAnswerAsync(ratings, "/health", HttpStatusCode.OK);
        await ShouldAnswerAsync(ratings, "/ratings/0", HttpStatusCode.OK);
    }

    private static Task<HttpResponseMessage> PostAsync(Service ratings, string path, string body)
        => ratings.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    private static async Task ShouldAnswerAsync(Service service, string path, HttpStatusCode status)
    {
        using var response = await service.Client.GetAsync(path);
        response.StatusCode.ShouldBe(status);
    }
}
