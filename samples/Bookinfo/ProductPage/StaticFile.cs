using System.Reflection;

namespace Bookinfo.ProductPage;

/// <summary>The assets of the page, from the assembly.</summary>
internal static class StaticFile
{
    private const string CacheControl = "public, max-age=300";

    public static IResult Get(string file, HttpResponse response)
    {
        var contentType = Path.GetExtension(file) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => null,
        };
        if (contentType is null || Assembly.GetExecutingAssembly().GetManifestResourceStream("static/" + file) is not { } content)
        {
            return Results.NotFound();
        }

        response.Headers.CacheControl = CacheControl;
        return Results.Stream(content, contentType);
    }
}
