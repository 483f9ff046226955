using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>
/// Bookinfo as small exact servers: productpage asks details, with three seconds of patience, and reviews; reviews v2 and v3 ask ratings. Each asks
/// through the mesh, and the headers <c>end-user</c> and <c>user-agent</c> go along.
/// </summary>
internal sealed partial class Bookinfo : IAsyncDisposable
{
    public const string Page = "http://productpage:9080/productpage";
    public const string NoDetails = "Sorry, product details are currently unavailable for this book.";
    public const string NoRatings = "Ratings service is currently unavailable";

    /// <summary>Milliseconds of the test's clock that a page took.</summary>
    private const string TookHeader = "x-took";

    /// <summary>How long productpage waits for details.</summary>
    public static readonly TimeSpan DetailsPatience = TimeSpan.FromSeconds(3);

    private static readonly string[] Forwarded = ["end-user", "user-agent"];

    private Bookinfo(PodMesh mesh)
    {
        Mesh = mesh;
        Curl = mesh.Caller(new MeshWorkload("curl"));
    }

    public PodMesh Mesh { get; }

    /// <summary>A client in the mesh.</summary>
    public HttpClient Curl { get; }

    public Pod ProductPage { get; private set; } = null!;

    public Pod Details { get; private set; } = null!;

    public Pod Ratings { get; private set; } = null!;

    /// <summary>v1, v2, v3.</summary>
    public IReadOnlyList<Pod> Reviews { get; private set; } = [];

    /// <summary>Starts the four services, and makes the first calls, so that connections are there.</summary>
    /// <param name="random">The chance of productpage, where it is not that of all.</param>
    public static async Task<Bookinfo> StartAsync(IRandomSource? random = null)
    {
        var mesh = await PodMesh.StartAsync(string.Concat(new[] { "productpage", "details", "reviews", "ratings" }.Select(name => LabYaml.Service(name, 9080))));
        var bookinfo = new Bookinfo(mesh);
        bookinfo.Details = await mesh.AddPodAsync("details", "v1", LabPods.Text("details of the book"));
        bookinfo.Ratings = await mesh.AddPodAsync("ratings", "v1", LabPods.Text("5"));
        bookinfo.Reviews =
        [
            await mesh.AddPodAsync("reviews", "v1", bookinfo.ReviewsOf("v1", stars: null)),
            await mesh.AddPodAsync("reviews", "v2", bookinfo.ReviewsOf("v2", stars: "black")),
            await mesh.AddPodAsync("reviews", "v3", bookinfo.ReviewsOf("v3", stars: "red")),
        ];
        var caller = mesh.Caller(new MeshWorkload("productpage") { Version = "v1" }, random);
        bookinfo.ProductPage = await mesh.AddPodAsync("productpage", "v1", context => bookinfo.ServeAsync(context, caller));
        (await bookinfo.OpenAsync()).Status.ShouldBe(200);
        return bookinfo;
    }

    /// <summary>Opens the page.</summary>
    public Task<LabAnswer> OpenAsync(params (string Name, string Value)[] headers) => Curl.AskAsync(Page, headers);

    /// <summary>Opens the page over and over: how often each version of reviews was on it.</summary>
    public async Task<Dictionary<string, int>> CountReviewsAsync(int pages, params (string Name, string Value)[] headers)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < pages; i++)
        {
            var version = ReviewsOn(await OpenAsync(headers));
            counts[version] = counts.GetValueOrDefault(version) + 1;
        }

        return counts;
    }

    /// <summary>Which version of reviews is on a page.</summary>
    public static string ReviewsOn(LabAnswer page) => ReviewsName().Match(page.Body).Groups[1].Value;

    /// <summary>How long a page took, by the test's clock.</summary>
    public static TimeSpan Took(LabAnswer page) => TimeSpan.FromMilliseconds(double.Parse(page.Headers[TookHeader], CultureInfo.InvariantCulture));

    public ValueTask DisposeAsync() => Mesh.DisposeAsync();

    private RequestDelegate ReviewsOf(string version, string? stars)
    {
        var caller = Mesh.Caller(new MeshWorkload("reviews") { Version = version });
        return async context =>
        {
            var text = $"<u>reviews-{version}</u> An extremely entertaining play";
            if (stars is not null)
            {
                using var answer = await SendAsync(caller, "http://ratings:9080/ratings/0", context.Request, context.RequestAborted);
                text += answer.IsSuccessStatusCode
                    ? $", {await answer.Content.ReadAsStringAsync(context.RequestAborted)} {stars} stars"
                    : $", {NoRatings}";
            }

            await context.Response.WriteAsync(text, context.RequestAborted);
        };
    }

    private async Task ServeAsync(HttpContext context, HttpClient caller)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        switch (context.Request.Path)
        {
            case "/productpage":
                var began = Mesh.Time.GetTimestamp();
                var details = await DetailsAsync(context, caller);
                using (var reviews = await SendAsync(caller, "http://reviews:9080/reviews/0", context.Request, context.RequestAborted))
                {
                    var text = await reviews.Content.ReadAsStringAsync(context.RequestAborted);
                    context.Response.Headers[TookHeader] = Mesh.Time.GetElapsedTime(began).TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
                    await context.Response.WriteAsync($"{details}\n{text}", context.RequestAborted);
                }

                break;
            case "/login":
                context.Response.Cookies.Append("user", context.Request.Query["username"].ToString());
                context.Response.StatusCode = StatusCodes.Status302Found;
                break;
            default:
                await context.Response.WriteAsync(context.Request.Path, context.RequestAborted);
                break;
        }
    }

    private async Task<string> DetailsAsync(HttpContext context, HttpClient caller)
    {
        using var patience = new CancellationTokenSource(DetailsPatience, Mesh.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
        try
        {
            using var answer = await SendAsync(caller, "http://details:9080/details/0", context.Request, either.Token);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(either.Token) : NoDetails;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return NoDetails;
        }
    }

    // Who has signed in is known by a cookie, and told to the services by a header.
    private static Task<HttpResponseMessage> SendAsync(HttpClient caller, string uri, HttpRequest incoming, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        foreach (var name in Forwarded)
        {
            if (incoming.Headers.TryGetValue(name, out var value))
            {
                request.Headers.TryAddWithoutValidation(name, value.ToString());
            }
        }

        if (incoming.Cookies["user"] is { } user)
        {
            request.Headers.TryAddWithoutValidation("end-user", user);
        }

        return caller.SendAsync(request, cancellationToken);
    }

    [GeneratedRegex("<u>reviews-(v[0-9]+)</u>")]
    private static partial Regex ReviewsName();
}
