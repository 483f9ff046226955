using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.ProductPage;

/// <summary>The calls that make a page: 3 seconds each, and reviews twice.</summary>
internal sealed partial class BookstoreClient(
    IHttpClientFactory clients, UserSession session, RequestResults results, TimeProvider time, ILogger<BookstoreClient> logger)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(3);

    public Task<Answer> GetDetailsAsync(string productId, HttpRequest incoming) => GetAsync("details", productId, attempts: 1, incoming);

    /// <summary>Tried twice on purpose: with 3 seconds for each, a delay of 7 seconds in ratings ends as an error after 6.</summary>
    public Task<Answer> GetReviewsAsync(string productId, HttpRequest incoming) => GetAsync("reviews", productId, attempts: 2, incoming);

    public Task<Answer> GetRatingsAsync(string productId, HttpRequest incoming) => GetAsync("ratings", productId, attempts: 1, incoming);

    private async Task<Answer> GetAsync(string service, string productId, int attempts, HttpRequest incoming)
    {
        int? status = null;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            (status, var body) = await TryAsync(service, productId, incoming);
            if (body is not null)
            {
                results.Count(service, StatusCodes.Status200OK);
                return new Answer(StatusCodes.Status200OK, body);
            }
        }

        var code = status ?? StatusCodes.Status500InternalServerError;
        results.Count(service, code);
        return new Answer(code, JsonAnswer.ErrorBody($"Sorry, product {service} are currently unavailable for this book."));
    }

    /// <summary>One call: the body when it is a 200 with JSON, else the status, if there was one.</summary>
    private async Task<(int? Status, string? Body)> TryAsync(string service, string productId, HttpRequest incoming)
    {
        var aborted = incoming.HttpContext.RequestAborted;
        using var deadline = new CancellationTokenSource(CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, aborted);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{service}/{Uri.EscapeDataString(productId)}");
            incoming.Headers.Forward(request, ForwardedHeaders.ProductPage);
            if (session.User(incoming) is { } user)
            {
                request.Headers.TryAddWithoutValidation("end-user", user);
            }

            using var response = await clients.CreateClient(service).SendAsync(request, either.Token);
            if ((int)response.StatusCode != StatusCodes.Status200OK)
            {
                Log.Refused(logger, service, (int)response.StatusCode);
                return ((int)response.StatusCode, null);
            }

            var body = await response.Content.ReadAsStringAsync(either.Token);
            using var _ = JsonDocument.Parse(body);
            return (StatusCodes.Status200OK, body);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            Log.TimedOut(logger, service, CallTimeout.TotalSeconds);
            return (null, null);
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or InvalidOperationException)
        {
            Log.Failed(logger, service, exception.Message);
            return (null, null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Service} answered {Status}")]
        public static partial void Refused(ILogger logger, string service, int status);

        [LoggerMessage(2, LogLevel.Warning, "{Service} did not answer within {Seconds} s")]
        public static partial void TimedOut(ILogger logger, string service, double seconds);

        [LoggerMessage(3, LogLevel.Warning, "{Service} cannot be reached: {Reason}")]
        public static partial void Failed(ILogger logger, string service, string reason);
    }
}
