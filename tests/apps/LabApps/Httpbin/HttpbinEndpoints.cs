using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh;

namespace LabApps.Httpbin;

/// <summary>What the labs use of httpbin: it says what it was asked, waits, and fails as told.</summary>
internal static class HttpbinEndpoints
{
    private const double LongestDelay = 10;

    private static readonly JsonWriterOptions Json = new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Map(WebApplication app)
    {
        app.MapGet("/get", context => EchoAsync(context, withBody: false));
        app.MapPost("/post", context => EchoAsync(context, withBody: true));
        app.MapPut("/put", context => EchoAsync(context, withBody: true));
        app.MapPatch("/patch", context => EchoAsync(context, withBody: true));
        app.MapDelete("/delete", context => EchoAsync(context, withBody: true));
        app.Map("/anything/{**path}", context => EchoAsync(context, withBody: true, withMethod: true));
        app.MapGet("/headers", context => AnswerAsync(context, json => WriteHeaders(json, context.Request)));
        app.MapGet("/ip", context => AnswerAsync(context, json => json.WriteString("origin", Origin(context))));
        app.MapGet("/user-agent", context => AnswerAsync(context, json => json.WriteString("user-agent", context.Request.Headers.UserAgent.ToString())));
        app.Map("/status/{codes}", Status);
        app.Map("/delay/{seconds}", DelayAsync);
    }

    // Several codes, each with a weight if one is written: 200:0.9,503:0.1.
    private static void Status(HttpContext context, string codes, IRandomSource random)
    {
        var choices = new List<(int Code, double Weight)>();
        foreach (var choice in codes.Split(','))
        {
            var parts = choice.Split(':');
            if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var code) || code is < 200 or > 599)
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            choices.Add((code, parts.Length > 1 && double.TryParse(parts[1], CultureInfo.InvariantCulture, out var weight) ? weight : 1));
        }

        var draw = random.NextUInt64() / (double)ulong.MaxValue * choices.Sum(choice => choice.Weight);
        var at = 0;
        while (at < choices.Count - 1 && draw >= choices[at].Weight)
        {
            draw -= choices[at++].Weight;
        }

        context.Response.StatusCode = choices[at].Code;
    }

    private static async Task DelayAsync(HttpContext context, double seconds, TimeProvider time)
    {
        await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds, 0, LongestDelay)), time, context.RequestAborted);
        await EchoAsync(context, withBody: true);
    }

    private static async Task EchoAsync(HttpContext context, bool withBody, bool withMethod = false)
    {
        var request = context.Request;
        string? body = null;
        if (withBody)
        {
            using var reader = new StreamReader(request.Body, Encoding.UTF8);
            body = await reader.ReadToEndAsync(context.RequestAborted);
        }

        await AnswerAsync(context, json =>
        {
            json.WriteStartObject("args");
            foreach (var (name, values) in request.Query.OrderBy(parameter => parameter.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, values.ToString());
            }

            json.WriteEndObject();
            if (body is not null)
            {
                json.WriteString("data", body);
            }

            WriteHeaders(json, request);
            if (withMethod)
            {
                json.WriteString("method", request.Method);
            }

            json.WriteString("origin", Origin(context));
            json.WriteString("url", $"{request.Scheme}://{request.Host}{request.Path}{request.QueryString}");
        });
    }

    private static void WriteHeaders(Utf8JsonWriter json, HttpRequest request)
    {
        json.WriteStartObject("headers");
        foreach (var (name, values) in request.Headers.Select(header => (Title(header.Key), header.Value.ToString())).OrderBy(header => header.Item1, StringComparer.Ordinal))
        {
            json.WriteString(name, values);
        }

        json.WriteEndObject();
    }

    // X-Request-Id, however it came over the wire.
    private static string Title(string name)
        => string.Join('-', name.Split('-').Select(part => part.Length == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..].ToLowerInvariant()));

    private static string Origin(HttpContext context)
        => context.Request.Headers["X-Forwarded-For"] is { Count: > 0 } forwarded ? forwarded.ToString() : context.Connection.RemoteIpAddress?.ToString() ?? "";

    private static async Task AnswerAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Json))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.Length;
        await context.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted);
    }
}
