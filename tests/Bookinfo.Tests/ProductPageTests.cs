using System.Net;

namespace Bookinfo.Tests;

public class ProductPageTests
{
    private const string Description =
        """<a href=\"https://en.wikipedia.org/wiki/The_Comedy_of_Errors\">Wikipedia Summary</a>: The Comedy of Errors is one of <b>William Shakespeare's</b> early plays. It is his shortest and one of his most farcical comedies, with a major part of the humour coming from slapstick and mistaken identity, in addition to puns and word play.""";

    [Fact]
    public async Task Lists_the_one_product_and_is_healthy()
    {
        await using var page = await Service.ProductPageAsync([]);

        (await page.Client.GetStringAsync("/health")).ShouldBe("Product page is healthy");
        (await page.Client.GetStringAsync("/api/v1/products")).ShouldBe(
            $$"""[{"id":0,"title":"The Comedy of Errors","descriptionHtml":"{{Description}}"}]""");
    }

    [Fact]
    public async Task Shows_the_services_and_serves_its_assets()
    {
        await using var page = await Service.ProductPageAsync([]);

        var index = await page.Client.GetStringAsync("/");
        index.ShouldContain("<title>Simple Bookstore App</title>");
        index.ShouldContain("http://reviews:9080");
        (await page.Client.GetStringAsync("/index.html")).ShouldBe(index);
        using var style = await page.Client.GetAsync("/static/bookinfo.css");
        style.Content.Headers.ContentType!.MediaType.ShouldBe("text/css");
        using var missing = await page.Client.GetAsync("/static/..%2fBookinfo.dll");
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_whole_page_shows_details_reviews_and_stars_by_colour()
    {
        await using var details = await Service.DetailsAsync();
        await using var ratings = await Service.RatingsAsync();
        await using var reviews = await Service.ReviewsAsync(new(Service.Find("ratings", ratings))
        {
            ["ENABLE_RATINGS"] = "true",
            ["STAR_COLOR"] = "red",
            ["HOSTNAME"] = "reviews-v3",
        });
        await using var page = await Service.ProductPageAsync(new(Service.Find("details", details).Concat(Service.Find("reviews", reviews))));

        var html = await page.Client.GetStringAsync("/productpage");

        html.ShouldContain("Book Details");
        html.ShouldContain("123-1234567890");
        html.Split("text-red-500").Length.ShouldBe(1 + 5 + 4);
        html.ShouldContain("aria-label=\"4 of 5 stars, red\"");
        html.ShouldContain("Reviews served by: <span class=\"pod\">reviews-v3</span>");
        html.ShouldNotContain("on cluster");
        html.Split("reviews-v3").Length.ShouldBe(2, "people count versions with grep");
    }

    [Fact]
    public async Task Names_the_cluster_when_there_is_one_and_encodes_what_others_say()
    {
        await using var reviews = await Service.ScriptedAsync(context => context.Response.WriteAsync(
            """{"podname":"<script>","clustername":"west","reviews":[{"reviewer":"R","text":"a & b","rating":{"stars":99,"color":"red\" onclick=\""}},{"rating":{"error":"none <today>"}},7]}"""));
        await using var page = await Service.ProductPageAsync(Service.Find("reviews", reviews));

        var html = await page.Client.GetStringAsync("/productpage");

        html.ShouldContain("Reviews served by: <span class=\"pod\">&lt;script&gt;</span> on cluster <span class=\"pod\">west</span>");
        html.ShouldContain("a &amp; b");
        html.ShouldContain("none &lt;today&gt;");
        html.ShouldContain("5 of 5 stars, black");
        html.ShouldNotContain("onclick");
    }

    [Fact]
    public async Task Says_which_part_of_the_page_could_not_be_fetched()
    {
        await using var failing = await Service.ScriptedAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var page = await Service.ProductPageAsync(new(Service.Find("details", failing).Concat(Service.Find("reviews", failing))));

        using var response = await page.Client.GetAsync("/productpage");
        var html = await response.Content.ReadAsStringAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        html.ShouldContain("Error fetching product details!");
        html.ShouldContain("Sorry, product details are currently unavailable for this book.");
        html.ShouldContain("Error fetching product reviews!");
        html.ShouldContain("Sorry, product reviews are currently unavailable for this book.");
    }

    [Theory]
    [InlineData("", "details", 1)]
    [InlineData("/reviews", "reviews", 2)]
    [InlineData("/ratings", "ratings", 1)]
    public async Task Passes_the_status_on_and_tries_reviews_twice(string suffix, string service, int calls)
    {
        var called = 0;
        await using var failing = await Service.ScriptedAsync(context =>
        {
            Interlocked.Increment(ref called);
            context.Response.StatusCode = 418;
            return Task.CompletedTask;
        });
        await using var page = await Service.ProductPageAsync(Service.Find(service, failing));

        using var response = await page.Client.GetAsync("/api/v1/products/0" + suffix);

        ((int)response.StatusCode).ShouldBe(418);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await response.Content.ReadAsStringAsync()).ShouldBe($$"""{"error":"Sorry, product {{service}} are currently unavailable for this book."}""");
        called.ShouldBe(calls);
        (await page.Client.GetStringAsync("/metrics")).ShouldContain($$"""request_result_total{destination_app="{{service}}",response_code="418"} 1.0""");
    }

    [Theory]
    [InlineData("", "details", 1)]
    [InlineData("/reviews", "reviews", 2)]
    [InlineData("/ratings", "ratings", 1)]
    public async Task Gives_up_after_three_seconds_a_call(string suffix, string service, int calls)
    {
        var time = new ManualTimeProvider();
        using var arrived = new SemaphoreSlim(0);
        await using var silent = await Service.ScriptedAsync(async context =>
        {
            arrived.Release();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var page = await Service.ProductPageAsync(Service.Find(service, silent), time);

        var answer = page.Client.GetAsync("/api/v1/products/0" + suffix);
        for (var call = 0; call < calls; call++)
        {
            (await arrived.WaitAsync(Guard.Hang)).ShouldBeTrue();
            answer.IsCompleted.ShouldBeFalse();
            time.Advance(TimeSpan.FromSeconds(3));
        }

        using var response = await answer.WaitAsync(Guard.Hang);
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Content.ReadAsStringAsync()).ShouldBe($$"""{"error":"Sorry, product {{service}} are currently unavailable for this book."}""");
    }

    [Fact]
    public async Task A_second_try_that_works_counts_as_success()
    {
        var called = 0;
        await using var reviews = await Service.ScriptedAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref called) == 1 ? 500 : 200;
            return context.Response.WriteAsync("""{"id": "0"}""");
        });
        await using var page = await Service.ProductPageAsync(Service.Find("reviews", reviews));

        (await page.Client.GetStringAsync("/api/v1/products/0/reviews")).ShouldBe("""{"id": "0"}""");
        (await page.Client.GetStringAsync("/metrics")).ShouldContain("""request_result_total{destination_app="reviews",response_code="200"} 1.0""");
    }

    [Fact]
    public async Task An_answer_that_is_no_JSON_is_an_error()
    {
        await using var details = await Service.ScriptedAsync(context => context.Response.WriteAsync("<html>"));
        await using var page = await Service.ProductPageAsync(Service.Find("details", details));

        using var response = await page.Client.GetAsync("/api/v1/products/0");

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task The_flood_factor_asks_reviews_that_many_times_more()
    {
        var called = 0;
        await using var reviews = await Service.ScriptedAsync(context =>
        {
            Interlocked.Increment(ref called);
            return context.Response.WriteAsync("{}");
        });
        await using var page = await Service.ProductPageAsync(new(Service.Find("reviews", reviews)) { ["FLOOD_FACTOR"] = "20" });

        await page.Client.GetStringAsync("/productpage");

        called.ShouldBe(21);
    }
}
