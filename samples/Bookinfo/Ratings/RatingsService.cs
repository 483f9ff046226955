using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.Ratings;

/// <summary>Stars per reviewer, held in memory; <c>SERVICE_VERSION</c> chooses how (badly) it behaves.</summary>
internal static class RatingsService
{
    // Ratings are a few numbers; more is a mistake or an attack.
    private const int MaxBodyBytes = 64 * 1024;

    public static void AddRatings(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddTimeProvider();
        builder.Services.TryAddRandomSource();
        builder.Services.AddSingleton<RatingsStore>();
        builder.Services.AddSingleton<RatingsBehaviour>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);
    }

    public static void MapRatings(this WebApplication app)
    {
        app.MapGet("/health", (RatingsBehaviour behaviour) => behaviour.IsHealthy
            ? JsonAnswer.Of("""{"status":"Ratings is healthy"}""")
            : JsonAnswer.Of("""{"status":"Ratings is not healthy"}""", StatusCodes.Status500InternalServerError));
        app.MapGet("/ratings/{**rest}", GetAsync);
        app.MapPost("/ratings/{**rest}", PostAsync);

        // The first touch starts the clock of the versions that fail by the minute.
        _ = app.Services.GetRequiredService<RatingsBehaviour>();
    }

    private static async Task<IResult> GetAsync(HttpRequest request, RatingsStore store, RatingsBehaviour behaviour, CancellationToken cancellation)
    {
        if (!HasId(request))
        {
            return Results.NotFound();
        }

        if (ProductId.Parse(request.Path) is not { } id)
        {
            return NotNumeric();
        }

        return await behaviour.ActAsync(cancellation) switch
        {
            RatingsOutcome.Unavailable => JsonAnswer.Error(StatusCodes.Status503ServiceUnavailable, "Service unavailable"),
            RatingsOutcome.NoDatabase => JsonAnswer.Error(StatusCodes.Status500InternalServerError, "could not connect to ratings database"),
            _ => JsonAnswer.Of(store.Get(id)),
        };
    }

    private static async Task<IResult> PostAsync(HttpRequest request, RatingsStore store, RatingsBehaviour behaviour, CancellationToken cancellation)
    {
        if (!HasId(request))
        {
            return Results.NotFound();
        }

        if (ProductId.Parse(request.Path) is not { } id)
        {
            return NotNumeric();
        }

        JsonElement ratings;
        try
        {
            ratings = await JsonSerializer.DeserializeAsync<JsonElement>(request.Body, cancellationToken: cancellation);
        }
        catch (JsonException)
        {
            return JsonAnswer.Error(StatusCodes.Status400BadRequest, "please provide valid ratings JSON");
        }

        if (behaviour.UsesDatabase)
        {
            return JsonAnswer.Error(StatusCodes.Status501NotImplemented, "Post not implemented for database backed ratings");
        }

        return JsonAnswer.Of(store.Put(id, ratings));
    }

    // "/ratings" alone is no address of this service, "/ratings/" is one without a number.
    private static bool HasId(HttpRequest request) => request.Path.Value!.StartsWith("/ratings/", StringComparison.Ordinal);

    private static IResult NotNumeric() => JsonAnswer.Error(StatusCodes.Status400BadRequest, "please provide numeric product ID");
}
