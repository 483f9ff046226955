using System.Text.Json;

namespace LabApps.MyApp;

/// <summary>
/// Frontend and backend of the labs in one application. Who it is, its environment says, as a Deployment does: <c>VER</c>, <c>MY_POD_NAME</c>,
/// <c>MY_NODE_NAME</c>. The original asks DNS for the backend's port; here the URL says it, and the mesh knows the rest.
/// </summary>
internal static class MyAppEndpoints
{
    private const string Text = "text/html; charset=utf-8";
    private const string Backend = "http://be.default.svc.cluster.local:8080/backend";

    /// <summary>Other sites, in the order in which the lab prints them.</summary>
    private static readonly string[] Outside =
    [
        "https://www.google.com/robots.txt",
        "http://www.google.com:443/robots.txt",
        "http://www.bbc.com/robots.txt",
        "https://www.cornell.edu/robots.txt",
        "https://www.uwo.ca/robots.txt",
        "https://www.yahoo.com/robots.txt",
        "http://www.yahoo.com:443/robots.txt",
    ];

    /// <summary>The three ways in which Google's libraries reach the metadata server.</summary>
    private static readonly string[] Metadata =
    [
        "http://metadata.google.internal/computeMetadata/v1/project/project-id",
        "http://metadata/computeMetadata/v1/project/project-id",
        "http://169.254.169.254/computeMetadata/v1/project/project-id",
    ];

    public static void Map(WebApplication app)
    {
        var settings = app.Configuration;
        app.MapGet("/", () => Results.Text("Hello from Express!", Text));
        app.MapGet("/varz", () => Results.Json(Environment.GetEnvironmentVariables()));
        app.MapGet("/version", () => Results.Text(settings["VER"], Text));
        app.MapGet("/backend", () => Results.Text($"pod: [{settings["MY_POD_NAME"]}]    node: [{settings["MY_NODE_NAME"]}]", Text));
        app.MapGet("/headerz", (HttpRequest request) => Results.Json(request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString())));
        app.MapGet("/hostz", (HttpContext context, IHttpClientFactory clients) => FetchAsync(context, clients, [Backend]));
        app.MapGet("/requestz", (HttpContext context, IHttpClientFactory clients) => FetchAsync(context, clients, Outside));
        app.MapGet("/metadata", (HttpContext context, IHttpClientFactory clients) => FetchAsync(context, clients, Metadata, ("Metadata-Flavor", "Google")));
    }

    private static async Task FetchAsync(HttpContext context, IHttpClientFactory clients, string[] urls, params (string Name, string Value)[] headers)
    {
        var client = clients.CreateClient("fetch");
        var fetched = await Task.WhenAll(urls.Select(url => FetchAsync(client, url, headers, context.RequestAborted)));
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartArray();
        foreach (var result in fetched)
        {
            result.WriteTo(json);
        }

        json.WriteEndArray();
    }

    private static async Task<Fetched> FetchAsync(HttpClient client, string url, (string Name, string Value)[] headers, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            return new Fetched(url, (int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken), Error: null);
        }
        catch (HttpRequestException e)
        {
            return new Fetched(url, Status: null, Body: null, e.Message);
        }
    }
}
