using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.Reviews;

/// <summary>The answer of the reviews service.</summary>
internal static class ReviewsBody
{
    private const string Text1 = "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!";
    private const string Text2 = "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.";

    /// <param name="stars"><see langword="null"/> when the ratings service could not be asked.</param>
    public static string Write(int productId, ReviewsSettings settings, ReviewerStars? stars) => JsonAnswer.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("id", productId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("podname", settings.PodName);
        json.WriteString("clustername", settings.ClusterName);
        json.WriteStartArray("reviews");
        WriteReview(json, "Reviewer1", Text1, settings, stars?.Reviewer1);
        WriteReview(json, "Reviewer2", Text2, settings, stars?.Reviewer2);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteReview(Utf8JsonWriter json, string reviewer, string text, ReviewsSettings settings, int? stars)
    {
        json.WriteStartObject();
        json.WriteString("reviewer", reviewer);
        json.WriteString("text", text);
        if (settings.RatingsEnabled)
        {
            json.WriteStartObject("rating");
            if (stars is { } count)
            {
                json.WriteNumber("stars", count);
                json.WriteString("color", settings.StarColor);
            }
            else
            {
                json.WriteString("error", "Ratings service is currently unavailable");
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
