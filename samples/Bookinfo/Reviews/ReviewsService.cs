using System.Globalization;
using Bookinfo.Hosting;

namespace Bookinfo.Reviews;

/// <summary>Two reviews of a book: v1 without stars, v2 with black ones, v3 with red ones.</summary>
internal static class ReviewsService
{
    public static void AddReviews(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddTimeProvider();
        builder.AddServiceClient("ratings");
        builder.Services.AddSingleton<ReviewsSettings>();
        builder.Services.AddSingleton<RatingsClient>();
    }

    public static void MapReviews(this WebApplication app)
    {
        app.MapGet("/health", () => JsonAnswer.Of("""{"status": "Reviews is healthy"}"""));
        app.MapGet("/reviews/{productId}", GetAsync);
    }

    private static async Task<IResult> GetAsync(
        string productId, HttpRequest request, ReviewsSettings settings, RatingsClient client, CancellationToken cancellation)
    {
        if (!int.TryParse(productId, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
        {
            return Results.NotFound();
        }

        var stars = settings.RatingsEnabled ? await client.GetAsync(id, request.Headers, cancellation) : null;
        return JsonAnswer.Of(ReviewsBody.Write(id, settings, stars));
    }
}
