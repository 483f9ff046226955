using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.Details;

/// <summary>The public book service that details v2 asks (Google Books), by the ISBN of a Comedy of Errors.</summary>
internal sealed class ExternalBooks(IHttpClientFactory clients, TimeProvider time)
{
    public const string Client = "googleapis";
    private const string Path = "books/v1/volumes?q=isbn:0486424618";
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    /// <summary><c>DO_NOT_ENCRYPT=true</c> speaks plain HTTP, so that an egress rule can add the TLS.</summary>
    public static Uri Address(IConfiguration configuration)
        => new(configuration["DO_NOT_ENCRYPT"] == "true" ? "http://www.googleapis.com" : "https://www.googleapis.com");

    public async Task<Book> FindAsync(long id, IHeaderDictionary incoming, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Path);
            // Only what tracing needs: the user's cookie and token are nobody's business outside.
            incoming.Forward(request, ForwardedHeaders.Tracing);
            using var response = await clients.CreateClient(Client).SendAsync(request, either.Token);
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(either.Token));
            return Read(id, body.RootElement.GetProperty("items")[0].GetProperty("volumeInfo"));
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            throw new ExternalBooksException($"the book service did not answer within {CallTimeout.TotalSeconds:0} seconds", exception);
        }
        catch (HttpRequestException exception)
        {
            throw new ExternalBooksException($"the book service cannot be reached: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException or FormatException)
        {
            throw new ExternalBooksException("the book service answered with something that is not a book", exception);
        }
    }

    private static Book Read(long id, JsonElement volume) => new(
        id,
        volume.GetProperty("authors")[0].GetString()!,
        volume.GetProperty("publishedDate").Clone(),
        volume.GetProperty("printType").ValueEquals("BOOK") ? "paperback" : "unknown",
        volume.GetProperty("pageCount").GetInt64(),
        volume.GetProperty("publisher").GetString()!,
        volume.GetProperty("language").ValueEquals("en") ? "English" : "unknown",
        Isbn(volume, "ISBN_10"),
        Isbn(volume, "ISBN_13"));

    private static string Isbn(JsonElement volume, string type)
        => volume.GetProperty("industryIdentifiers").EnumerateArray()
            .First(identifier => identifier.GetProperty("type").ValueEquals(type))
            .GetProperty("identifier").GetString()!;
}
