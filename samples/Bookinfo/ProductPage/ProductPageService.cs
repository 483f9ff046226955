using System.Globalization;
using Bookinfo.Hosting;

namespace Bookinfo.ProductPage;

/// <summary>The page that everybody sees, and the API behind it.</summary>
internal static class ProductPageService
{
    // The shop has one book, and the page shows it whatever is asked for.
    private const string ShownProduct = "0";
    private const int MaxFloodFactor = 1000;

    public static void AddProductPage(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddTimeProvider();
        foreach (var service in new[] { "details", "reviews", "ratings" })
        {
            builder.AddServiceClient(service);
        }

        builder.Services.AddSingleton<UserSession>();
        builder.Services.AddSingleton<RequestResults>();
        builder.Services.AddSingleton<BookstoreClient>();
    }

    public static void MapProductPage(this WebApplication app)
    {
        var tree = ServiceTree.Of(app.Configuration);
        var flood = FloodFactor(app.Configuration);

        app.MapGet("/", (HttpRequest request, UserSession session) => Html(IndexView.Render(tree, session.User(request))));
        app.MapGet("/index.html", (HttpRequest request, UserSession session) => Html(IndexView.Render(tree, session.User(request))));
        app.MapGet("/health", () => Results.Text("Product page is healthy", "text/html"));
        app.MapGet("/metrics", (RequestResults results) => Results.Text(results.Write(), "text/plain; version=0.0.4"));
        app.MapGet("/static/{file}", StaticFile.Get);

        app.MapPost("/login", LogInAsync);
        app.MapGet("/logout", (HttpContext context, UserSession session) =>
        {
            session.SignOut(context.Response);
            return Back(context.Request);
        });

        app.MapGet("/productpage", (HttpRequest request, BookstoreClient client, UserSession session) => PageAsync(request, client, session, flood));
        app.MapGet("/api/v1/products", () => JsonAnswer.Of(Products()));
        app.MapGet("/api/v1/products/{id}", async (string id, HttpRequest request, BookstoreClient client)
            => ToResult(await client.GetDetailsAsync(id, request)));
        app.MapGet("/api/v1/products/{id}/reviews", async (string id, HttpRequest request, BookstoreClient client)
            => ToResult(await client.GetReviewsAsync(id, request)));
        app.MapGet("/api/v1/products/{id}/ratings", async (string id, HttpRequest request, BookstoreClient client)
            => ToResult(await client.GetRatingsAsync(id, request)));
    }

    private static async Task<IResult> PageAsync(HttpRequest request, BookstoreClient client, UserSession session, int flood)
    {
        // One after the other, as a trace of Bookinfo shows it.
        var details = await client.GetDetailsAsync(ShownProduct, request);
        if (flood > 0)
        {
            await Task.WhenAll(Enumerable.Range(0, flood).Select(_ => client.GetReviewsAsync(ShownProduct, request)));
        }

        var reviews = await client.GetReviewsAsync(ShownProduct, request);
        return Html(ProductView.Render(Product.ComedyOfErrors, details, reviews, session.User(request)));
    }

    private static async Task<IResult> LogInAsync(HttpContext context, UserSession session)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        var user = form["username"].FirstOrDefault() ?? context.Request.Query["username"].FirstOrDefault() ?? "";
        session.SignIn(context.Response, user);
        return Back(context.Request);
    }

    /// <summary>Back to the page the user came from; a referrer of another site is not followed.</summary>
    private static IResult Back(HttpRequest request)
    {
        var referrer = request.GetTypedHeaders().Referer;
        return Results.Redirect(referrer is { IsAbsoluteUri: true } && referrer.Authority == request.Host.Value ? referrer.ToString() : "/productpage");
    }

    private static IResult Html(string page) => Results.Text(page, "text/html; charset=utf-8");

    private static IResult ToResult(Answer answer) => answer.Status is < 200 or 204 or 205 or 304
        ? Results.StatusCode(answer.Status < 200 ? StatusCodes.Status502BadGateway : answer.Status)
        : JsonAnswer.Of(answer.Body, answer.Status);

    private static string Products() => JsonAnswer.Write(json =>
    {
        json.WriteStartArray();
        foreach (var product in Product.All)
        {
            json.WriteStartObject();
            json.WriteNumber("id", product.Id);
            json.WriteString("title", product.Title);
            json.WriteString("descriptionHtml", product.DescriptionHtml);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static int FloodFactor(IConfiguration configuration)
    {
        var text = configuration["FLOOD_FACTOR"];
        return text is null ? 0
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var factor) && factor <= MaxFloodFactor ? factor
            : throw new InvalidOperationException($"FLOOD_FACTOR is '{text}'; give the number of extra calls per page, 0 to {MaxFloodFactor}.");
    }
}
