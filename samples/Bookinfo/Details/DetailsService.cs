using System.Globalization;
using Bookinfo.Hosting;

namespace Bookinfo.Details;

/// <summary>Facts about a book; v2 asks a public book service.</summary>
internal static class DetailsService
{
    public static void AddDetails(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddTimeProvider();
        builder.Services.AddHttpClient(ExternalBooks.Client, client =>
        {
            client.BaseAddress = ExternalBooks.Address(builder.Configuration);
            client.Timeout = Timeout.InfiniteTimeSpan;
        });
        builder.Services.AddSingleton<ExternalBooks>();
    }

    public static void MapDetails(this WebApplication app)
    {
        var external = app.Configuration["ENABLE_EXTERNAL_BOOK_SERVICE"] == "true";
        app.Map("/health", () => JsonAnswer.Of("""{"status":"Details is healthy"}"""));
        app.Map("/details/{**rest}", (HttpRequest request, ExternalBooks books, CancellationToken cancellation)
            => AnswerAsync(request, external ? books : null, cancellation));
    }

    private static async Task<IResult> AnswerAsync(HttpRequest request, ExternalBooks? books, CancellationToken cancellation)
    {
        // Only the last segment counts: /details/any/thing/0 is product 0.
        var last = request.Path.Value!.TrimEnd('/').Split('/')[^1];
        if (!long.TryParse(last, NumberStyles.Integer, CultureInfo.InvariantCulture, out var id))
        {
            return JsonAnswer.Error(StatusCodes.Status400BadRequest, "please provide numeric product id");
        }

        if (books is null)
        {
            return JsonAnswer.Of(Book.ComedyOfErrors(id).ToJson());
        }

        try
        {
            return JsonAnswer.Of((await books.FindAsync(id, request.Headers, cancellation)).ToJson());
        }
        catch (ExternalBooksException exception)
        {
            return JsonAnswer.Error(StatusCodes.Status400BadRequest, exception.Message);
        }
    }
}
