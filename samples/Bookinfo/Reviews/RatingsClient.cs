using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.Reviews;

/// <summary>Asks the ratings service; whatever goes wrong there, the reviews themselves are still worth showing.</summary>
internal sealed partial class RatingsClient(
    IHttpClientFactory clients, ReviewsSettings settings, TimeProvider time, ILogger<RatingsClient> logger)
{
    public async Task<ReviewerStars?> GetAsync(int productId, IHeaderDictionary incoming, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(settings.RatingsTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"ratings/{productId}");
            request.Headers.TryAddWithoutValidation("accept", "application/json");
            incoming.Forward(request, ForwardedHeaders.Inner);
            using var response = await clients.CreateClient("ratings").SendAsync(request, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                Log.Refused(logger, (int)response.StatusCode);
                return null;
            }

            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(either.Token));
            return body.RootElement.TryGetProperty("ratings", out var ratings) && ratings.ValueKind == JsonValueKind.Object
                ? new ReviewerStars(Stars(ratings, "Reviewer1"), Stars(ratings, "Reviewer2"))
                : default(ReviewerStars);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Log.TimedOut(logger, settings.RatingsTimeout.TotalSeconds);
            return null;
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or InvalidOperationException)
        {
            Log.Failed(logger, exception.Message);
            return null;
        }
    }

    private static int? Stars(JsonElement ratings, string reviewer)
        => ratings.TryGetProperty(reviewer, out var stars) && stars.ValueKind == JsonValueKind.Number && stars.TryGetInt32(out var count) ? count : null;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "ratings answered {Status}: the reviews go out without stars")]
        public static partial void Refused(ILogger logger, int status);

        [LoggerMessage(2, LogLevel.Warning, "ratings did not answer within {Seconds} s: the reviews go out without stars")]
        public static partial void TimedOut(ILogger logger, double seconds);

        [LoggerMessage(3, LogLevel.Warning, "ratings cannot be reached: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
