using System.Net;

namespace Bookinfo.Tests;

public class SignInTests
{
    [Fact]
    public async Task Who_signs_in_is_the_end_user_of_every_call_until_signing_out()
    {
        var users = new List<string>();
        await using var reviews = await EchoAsync(users, "end-user");
        await using var page = await Service.ProductPageAsync(Service.Find("reviews", reviews));

        await GetAsync(page, "/productpage", cookie: null);
        var cookie = await SignInAsync(page, "jason");
        var html = await GetAsync(page, "/productpage", cookie);
        using var logout = await page.Client.GetAsync("/logout");
        await GetAsync(page, "/productpage", Cookie(logout));

        users.ShouldBe(["", "jason", ""]);
        html.ShouldContain("jason (<a href=\"/logout\">sign out</a>)");
    }

    [Fact]
    public async Task Nobody_becomes_jason_by_sending_the_header_or_a_cookie_of_his_own()
    {
        var users = new List<string>();
        await using var reviews = await EchoAsync(users, "end-user");
        await using var page = await Service.ProductPageAsync(Service.Find("reviews", reviews));

        await GetAsync(page, "/productpage", "session=jason", ("end-user", "jason"));

        users.ShouldBe([""]);
    }

    [Fact]
    public async Task Forwards_exactly_the_headers_that_traces_and_users_need()
    {
        HashSet<string>? received = null;
        await using var details = await Service.ScriptedAsync(context =>
        {
            received = [.. context.Request.Headers.Where(header => header.Value == "kept").Select(header => header.Key.ToLowerInvariant())];
            return context.Response.WriteAsync("{}");
        });
        await using var page = await Service.ProductPageAsync(Service.Find("details", details));
        string[] forwarded =
        [
            "x-request-id", "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority", "traceparent",
            "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled",
            "x-b3-flags", "sw8", "user-agent", "cookie", "authorization", "jwt",
        ];

        await GetAsync(page, "/api/v1/products/0", null, [.. forwarded.Append("x-secret").Append("end-user").Select(name => (name, "kept"))]);

        received.ShouldNotBeNull().Order().ShouldBe(forwarded.Order());
    }

    [Theory]
    [InlineData(null, "/productpage")]
    [InlineData("https://elsewhere.example/phish", "/productpage")]
    public async Task Goes_back_to_the_page_when_the_referrer_is_none_of_ours(string? referrer, string location)
    {
        await using var page = await Service.ProductPageAsync([]);

        using var response = await PostAsync(page, "jason", referrer);

        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        response.Headers.Location!.ToString().ShouldBe(location);
    }

    [Fact]
    public async Task Goes_back_to_where_the_user_came_from()
    {
        await using var page = await Service.ProductPageAsync([]);
        var referrer = new Uri(page.Address, "/productpage?u=test").ToString();

        using var response = await PostAsync(page, "jason", referrer);

        response.Headers.Location!.ToString().ShouldBe(referrer);
    }

    [Fact]
    public async Task A_name_with_a_line_end_does_not_become_two_headers()
    {
        var users = new List<string>();
        await using var reviews = await EchoAsync(users, "end-user");
        await using var page = await Service.ProductPageAsync(Service.Find("reviews", reviews));

        await GetAsync(page, "/productpage", await SignInAsync(page, "ja\r\nx-evil: 1son"));

        users.ShouldBe(["jax-evil: 1son"]);
    }

    private static Task<Service> EchoAsync(List<string> seen, string header) => Service.ScriptedAsync(context =>
    {
        lock (seen)
        {
            seen.Add(context.Request.Headers[header].ToString());
        }

        return context.Response.WriteAsync("{}");
    });

    private static async Task<string> SignInAsync(Service page, string user)
    {
        using var response = await PostAsync(page, user, referrer: null);
        return Cookie(response);
    }

    private static async Task<HttpResponseMessage> PostAsync(Service page, string user, string? referrer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Content = new FormUrlEncodedContent([new("username", user), new("passwd", "any")]),
        };
        if (referrer is not null)
        {
            request.Headers.Referrer = new Uri(referrer);
        }

        return await page.Client.SendAsync(request);
    }

    private static string Cookie(HttpResponseMessage response) => response.Headers.GetValues("set-cookie").Single().Split(';')[0];

    private static async Task<string> GetAsync(Service page, string path, string? cookie, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (cookie is not null)
        {
            request.Headers.TryAddWithoutValidation("cookie", cookie);
        }

        using var response = await page.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
