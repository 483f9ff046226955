using System.Text.Json;
using Bookinfo.Hosting;

namespace Bookinfo.Details;

/// <summary>What the details service tells about a book.</summary>
/// <param name="Year">A number for the built-in book, the published date as text from the book service.</param>
internal sealed record Book(long Id, string Author, JsonElement Year, string Type, long Pages, string Publisher, string Language, string Isbn10, string Isbn13)
{
    private static readonly JsonElement Year1595 = JsonSerializer.SerializeToElement(1595);

    /// <summary>The one book of the shop; the id is the caller's.</summary>
    public static Book ComedyOfErrors(long id)
        => new(id, "William Shakespeare", Year1595, "paperback", 200, "PublisherA", "English", "1234567890", "123-1234567890");

    public string ToJson() => JsonAnswer.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("id", Id);
        json.WriteString("author", Author);
        json.WritePropertyName("year");
        Year.WriteTo(json);
        json.WriteString("type", Type);
        json.WriteNumber("pages", Pages);
        json.WriteString("publisher", Publisher);
        json.WriteString("language", Language);
        json.WriteString("ISBN-10", Isbn10);
        json.WriteString("ISBN-13", Isbn13);
        json.WriteEndObject();
    });
}
