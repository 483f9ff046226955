using System.Text;
using System.Text.Json;

namespace Bookinfo.ProductPage;

/// <summary>The page of a product: the book, its details, its reviews.</summary>
internal static class ProductView
{
    private static readonly (string Label, string Key)[] Facts =
    [
        ("Type", "type"), ("Pages", "pages"), ("Publisher", "publisher"), ("Language", "language"),
        ("Year", "year"), ("ISBN-10", "ISBN-10"), ("ISBN-13", "ISBN-13"),
    ];

    public static string Render(Product product, Answer details, Answer reviews, string? user)
    {
        using var detailsJson = JsonDocument.Parse(details.Body);
        using var reviewsJson = JsonDocument.Parse(reviews.Body);
        return Layout.Page(user, $"""
                <section class="card book">
                  <div class="cover" aria-hidden="true"><span>The Comedy</span><span>of Errors</span><i>W. Shakespeare</i></div>
                  <div>
                    <h1>{Layout.Encode(product.Title)}</h1>
                    {Author(details, detailsJson.RootElement)}
                    <p class="summary">{product.DescriptionHtml}</p>
                  </div>
                </section>
                <div class="columns">
                  <section class="card" aria-labelledby="details">
                    {Details(details, detailsJson.RootElement)}
                  </section>
                  <section class="card" aria-labelledby="reviews">
                    {Reviews(reviews, reviewsJson.RootElement)}
                  </section>
                </div>
            """);
    }

    private static string Author(Answer answer, JsonElement details)
        => answer.IsOk && Text(details, "author") is { } author ? $"<p class=\"author\">by {Layout.Encode(author)}</p>" : "";

    private static string Details(Answer answer, JsonElement details)
    {
        if (!answer.IsOk)
        {
            return Failure("details", "Error fetching product details!", details);
        }

        var facts = string.Concat(Facts
            .Where(fact => Text(details, fact.Key) is not null)
            .Select(fact => $"<div><dt>{fact.Label}</dt><dd>{Layout.Encode(Text(details, fact.Key))}</dd></div>"));
        return $"<h2 id=\"details\">Book Details</h2>\n<dl class=\"facts\">{facts}</dl>";
    }

    private static string Reviews(Answer answer, JsonElement reviews)
    {
        if (!answer.IsOk)
        {
            return Failure("reviews", "Error fetching product reviews!", reviews);
        }

        var html = new StringBuilder("<h2 id=\"reviews\">Book Reviews</h2>\n");
        if (reviews.ValueKind == JsonValueKind.Object && reviews.TryGetProperty("reviews", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var review in list.EnumerateArray())
            {
                html.Append("<figure class=\"review\">")
                    .Append(Rating(review))
                    .Append("<blockquote>").Append(Layout.Encode(Text(review, "text"))).Append("</blockquote>")
                    .Append("<figcaption>").Append(Layout.Encode(Text(review, "reviewer"))).Append("</figcaption></figure>\n");
            }
        }

        html.Append("<p class=\"served\">Reviews served by: <span class=\"pod\">").Append(Layout.Encode(Text(reviews, "podname"))).Append("</span>");
        if (Text(reviews, "clustername") is { } cluster and not "null")
        {
            html.Append(" on cluster <span class=\"pod\">").Append(Layout.Encode(cluster)).Append("</span>");
        }

        return html.Append("</p>").ToString();
    }

    private static string Rating(JsonElement review)
    {
        if (review.ValueKind != JsonValueKind.Object || !review.TryGetProperty("rating", out var rating))
        {
            return "";
        }

        if (!int.TryParse(Text(rating, "stars"), out var stars))
        {
            return $"<p class=\"no-stars\">{Layout.Encode(Text(rating, "error"))}</p>";
        }

        stars = Math.Clamp(stars, 0, 5);
        var colour = Colour(Text(rating, "color"));
        return $"<p class=\"stars\" role=\"img\" aria-label=\"{stars} of 5 stars, {colour}\">"
            + string.Concat(Enumerable.Repeat($"<span class=\"star text-{colour}-500\">★</span>", stars))
            + string.Concat(Enumerable.Repeat("<span class=\"star none\">★</span>", 5 - stars))
            + "</p>";
    }

    /// <summary>The colour becomes part of a class name: letters only.</summary>
    private static string Colour(string? colour)
        => colour is { Length: > 0 and <= 20 } && colour.All(char.IsAsciiLetterLower) ? colour : "black";

    private static string Failure(string id, string title, JsonElement body)
        => $"<div class=\"failure\" role=\"alert\"><h2 id=\"{id}\">{title}</h2><p>{Layout.Encode(Text(body, "error"))}</p></div>";

    private static string? Text(JsonElement element, string key)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Null => null,
                _ => value.GetRawText(),
            }
            : null;
}
