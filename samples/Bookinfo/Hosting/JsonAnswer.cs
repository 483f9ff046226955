using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bookinfo.Hosting;

/// <summary>JSON as the services write it: without spaces, and with characters left as they are.</summary>
internal static class JsonAnswer
{
    private const string ContentType = "application/json";

    // The answers are read by programs; the page encodes what it shows.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            write(json);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    public static IResult Of(string json, int status = StatusCodes.Status200OK) => Results.Text(json, ContentType, statusCode: status);

    public static IResult Error(int status, string error) => Of(ErrorBody(error), status);

    public static string ErrorBody(string error) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteEndObject();
    });
}
