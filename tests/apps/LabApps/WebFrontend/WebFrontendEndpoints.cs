using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LabApps.WebFrontend;

/// <summary>A table of what customers answers, whose columns are what is known of each; <c>CUSTOMER_SERVICE_URL</c> says where customers is.</summary>
internal static class WebFrontendEndpoints
{
    private const string DefaultCustomers = "http://customers.default.svc.cluster.local";

    public static void Map(WebApplication app)
    {
        var customers = new Uri(app.Configuration["CUSTOMER_SERVICE_URL"] ?? DefaultCustomers);
        app.MapGet("/", (HttpContext context, IHttpClientFactory clients) => PageAsync(context, clients.CreateClient("customers"), customers));
    }

    private static async Task<IResult> PageAsync(HttpContext context, HttpClient client, Uri customers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, customers);

        // The mesh sees who asks only if that is handed on.
        if (context.Request.Headers.TryGetValue("user", out var user))
        {
            request.Headers.TryAddWithoutValidation("user", user.ToString());
        }

        try
        {
            using var response = await client.SendAsync(request, context.RequestAborted);
            return response.IsSuccessStatusCode
                ? Results.Text(Table(await response.Content.ReadAsByteArrayAsync(context.RequestAborted)), "text/html; charset=utf-8")
                : Error($"Request failed with status code {(int)response.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            return Error(e.Message);
        }
    }

    private static IResult Error(string message) => Results.Text(JsonSerializer.Serialize(message), "application/json; charset=utf-8", statusCode: StatusCodes.Status500InternalServerError);

    private static string Table(byte[] json)
    {
        var rows = JsonSerializer.Deserialize<List<Dictionary<string, string>>>(json) ?? [];
        var page = new StringBuilder("<!DOCTYPE html>\n<html>\n<head><title>Web frontend</title></head>\n<body>\n<table class=\"table-auto\">\n<thead>\n<tr>\n");
        foreach (var column in rows.SelectMany(row => row.Keys).Distinct())
        {
            page.Append("<th class=\"px-4 py-2\">").Append(HtmlEncoder.Default.Encode(column.ToUpperInvariant())).Append("</th>\n");
        }

        page.Append("</tr>\n</thead>\n<tbody>\n");
        foreach (var row in rows)
        {
            page.Append("<tr>\n");
            foreach (var value in row.Values)
            {
                page.Append("<td class=\"border px-4 py-2\">").Append(HtmlEncoder.Default.Encode(value)).Append("</td>\n");
            }

            page.Append("</tr>\n");
        }

        return page.Append("</tbody>\n</table>\n</body>\n</html>\n").ToString();
    }
}
