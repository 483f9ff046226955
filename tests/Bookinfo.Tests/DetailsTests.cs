using System.Net;

namespace Bookinfo.Tests;

public class DetailsTests
{
    private const string Volume = """
        {"items":[{"volumeInfo":{"authors":["William Shakespeare"],"publishedDate":"2002-01-01","printType":"BOOK","pageCount":64,
        "publisher":"Courier","language":"en","industryIdentifiers":[{"type":"ISBN_13","identifier":"9780486424613"},{"type":"ISBN_10","identifier":"0486424618"}]}}]}
        """;

    [Theory]
    [InlineData("/details/0", 0)]
    [InlineData("/details/any/thing/12", 12)]
    [InlineData("/details/3/", 3)]
    public async Task Tells_the_facts_of_the_book(string path, int id)
    {
        await using var details = await Service.DetailsAsync();

        (await details.Client.GetStringAsync(path)).ShouldBe(
            $$"""{"id":{{id}},"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA","language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}""");
    }

    [Theory]
    [InlineData("/details/abc")]
    [InlineData("/details/1a")]
    [InlineData("/details")]
    public async Task Refuses_what_is_not_a_number(string path)
    {
        await using var details = await Service.DetailsAsync();

        using var response = await details.Client.GetAsync(path);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"error":"please provide numeric product id"}""");
    }

    [Fact]
    public async Task Is_healthy()
    {
        await using var details = await Service.DetailsAsync();

        (await details.Client.GetStringAsync("/health")).ShouldBe("""{"status":"Details is healthy"}""");
    }

    [Fact]
    public async Task Version_2_asks_the_book_service_without_telling_it_who_asks()
    {
        string? target = null;
        var headers = new HeaderDictionary();
        await using var books = await Service.ScriptedAsync(context =>
        {
            target = context.Request.Path + context.Request.QueryString.Value;
            foreach (var header in context.Request.Headers)
            {
                headers[header.Key] = header.Value;
            }

            return context.Response.WriteAsync(Volume);
        });
        await using var details = await Service.DetailsAsync(new() { ["ENABLE_EXTERNAL_BOOK_SERVICE"] = "true" }, books.Address);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/details/0");
        request.Headers.Add("x-request-id", "7");
        request.Headers.Add("authorization", "Bearer secret");
        request.Headers.Add("cookie", "session=secret");
        using var response = await details.Client.SendAsync(request);

        (await response.Content.ReadAsStringAsync()).ShouldBe(
            """{"id":0,"author":"William Shakespeare","year":"2002-01-01","type":"paperback","pages":64,"publisher":"Courier","language":"English","ISBN-10":"0486424618","ISBN-13":"9780486424613"}""");
        target.ShouldBe("/books/v1/volumes?q=isbn:0486424618");
        headers["x-request-id"].ToString().ShouldBe("7");
        headers.ContainsKey("authorization").ShouldBeFalse();
        headers.ContainsKey("cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task Version_2_without_a_usable_answer_is_a_bad_request()
    {
        await using var books = await Service.ScriptedAsync(context => context.Response.WriteAsync("""{"totalItems":0}"""));
        await using var details = await Service.DetailsAsync(new() { ["ENABLE_EXTERNAL_BOOK_SERVICE"] = "true" }, books.Address);

        using var response = await details.Client.GetAsync("/details/0");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"error":"the book service answered with something that is not a book"}""");
    }

    [Fact]
    public async Task Version_2_waits_five_seconds_for_the_book_service()
    {
        var time = new ManualTimeProvider();
        var arrived = new TaskCompletionSource();
        await using var books = await Service.ScriptedAsync(async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var details = await Service.DetailsAsync(new() { ["ENABLE_EXTERNAL_BOOK_SERVICE"] = "true" }, books.Address, time);

        var answer = details.Client.GetAsync("/details/0");
        await arrived.Task.WaitAsync(Guard.Hang);
        time.Advance(TimeSpan.FromSeconds(5));

        using var response = await answer.WaitAsync(Guard.Hang);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"error":"the book service did not answer within 5 seconds"}""");
    }
}
