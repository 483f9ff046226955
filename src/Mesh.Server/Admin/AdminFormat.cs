using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Admin;

/// <summary>In which form an answer is written.</summary>
internal enum AdminFormat
{
    /// <summary>As Envoy's own admin writes it, lines for the terminal.</summary>
    Text,

    Json,

    /// <summary>A page for people.</summary>
    Html,
}

/// <summary>Which form a caller gets: what <c>?format=</c> says, then what it accepts. A browser says that it accepts HTML, a terminal does not.</summary>
internal static class AdminFormats
{
    public static AdminFormat Of(HttpRequest request, AdminFormat usual)
        => request.Query["format"].ToString() switch
        {
            "html" => AdminFormat.Html,
            "json" => AdminFormat.Json,
            "text" => AdminFormat.Text,
            _ => Accepted(request.Headers[HeaderNames.Accept].ToString()) ?? usual,
        };

    private static AdminFormat? Accepted(string accept)
        => accept.Contains("text/html", StringComparison.OrdinalIgnoreCase) ? AdminFormat.Html
            : accept.Contains("application/json", StringComparison.OrdinalIgnoreCase) ? AdminFormat.Json
            : accept.Contains("text/plain", StringComparison.OrdinalIgnoreCase) ? AdminFormat.Text
            : null;
}
