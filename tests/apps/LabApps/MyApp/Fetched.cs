using System.Text.Json;

namespace LabApps.MyApp;

/// <summary>What came of fetching a URL, as the lab's application prints it.</summary>
/// <param name="Url">The URL.</param>
/// <param name="Status">The status; unset when there was no answer.</param>
/// <param name="Body">The body; unset when there was no answer.</param>
/// <param name="Error">Why there was no answer.</param>
internal sealed record Fetched(string Url, int? Status, string? Body, string? Error)
{
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("url", Url);
        if (Status is { } status)
        {
            json.WriteString("body", Body);
            json.WriteNumber("statusCode", status);
        }
        else
        {
            json.WriteStartObject("statusCode");
            json.WriteString("name", "RequestError");
            json.WriteString("message", "Error: " + Error);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
