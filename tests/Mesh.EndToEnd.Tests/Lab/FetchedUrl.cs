using System.Text.Json;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>One line of what <c>/requestz</c>, <c>/metadata</c> and <c>/hostz</c> of the labs' application print.</summary>
/// <param name="Url">What was fetched.</param>
/// <param name="Status">The status; unset when there was no answer.</param>
/// <param name="Body">The body; unset when there was no answer.</param>
/// <param name="Error">Why there was no answer.</param>
internal sealed record FetchedUrl(string Url, int? Status, string? Body, string? Error)
{
    public static IReadOnlyList<FetchedUrl> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(Read)];
    }

    private static FetchedUrl Read(JsonElement element)
    {
        var url = element.GetProperty("url").GetString()!;
        var status = element.GetProperty("statusCode");
        return status.ValueKind == JsonValueKind.Number
            ? new FetchedUrl(url, status.GetInt32(), element.GetProperty("body").GetString(), Error: null)
            : new FetchedUrl(url, Status: null, Body: null, status.GetProperty("message").GetString());
    }
}
