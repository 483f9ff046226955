using System.Globalization;
using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// Where a request of this process would go, and why: <c>?host=reviews:9080&amp;path=/reviews/0&amp;header=end-user:jason</c>; or a connection:
/// <c>?host=tcp://mysql:3306&amp;sni=mysql.example.com</c>. Nothing is sent.
/// </summary>
internal sealed class ExplainEndpoint() : AdminEndpoint("/explain", "Why there?")
{
    public override Task GetAsync(AdminRequest request)
    {
        if (request["host"].Length == 0)
        {
            return request.FormatOr(AdminFormat.Json) == AdminFormat.Html
                ? request.WritePageAsync(Title, HtmlText.Of($"<h2>Going out</h2>{ExplainPieces.Form(request)}<h2>Coming in</h2>{ExplainPieces.InboundForm(request)}"))
                : request.RefuseAsync(StatusCodes.Status400BadRequest, "Which request? Write ?host=reviews:9080&path=/reviews/0&method=GET&header=end-user:jason, or ?host=tcp://mysql:3306 for a connection.");
        }

        Explanation explanation;
        try
        {
            var host = request["host"];
            if (request["port"] is { Length: > 0 } port && !host[(host.IndexOf("//", StringComparison.Ordinal) + 1)..].Contains(':', StringComparison.Ordinal))
            {
                host = $"{host}:{port}";
            }

            explanation = host.StartsWith(SupposedConnection.Scheme, StringComparison.OrdinalIgnoreCase)
                ? new ConnectionExplainer(request.Engine, request.Time).Explain(ReadConnection(request, host))
                : new RequestExplainer(request.Engine, request.Time).Explain(Read(request, host));
        }
        catch (FormatException e)
        {
            return request.RefuseAsync(StatusCodes.Status400BadRequest, e.Message);
        }

        return request.FormatOr(AdminFormat.Json) switch
        {
            AdminFormat.Html => request.WritePageAsync(Title, HtmlText.Of($"{ExplainPieces.Form(request)}{ExplainPieces.Of(request, explanation)}")),
            AdminFormat.Text => request.WriteTextAsync(string.Concat(explanation.Lines.Prepend(explanation.Verdict).Select(l => l.ReplaceLineEndings(" ") + "\n"))),
            _ => request.WriteJsonAsync(explanation),
        };
    }

    /// <summary>Reads a request that is asked about.</summary>
    /// <param name="request">The parameters.</param>
    /// <param name="host">The host that it is for.</param>
    /// <exception cref="FormatException">It could be none.</exception>
    public static SupposedRequest Read(AdminRequest request, string host)
    {
        return new SupposedRequest(
            host,
            request["method"] is { Length: > 0 } method ? method.ToUpperInvariant() : "GET",
            request["path"] is { Length: > 0 } path ? path : "/",
            [.. Headers(request)])
        {
            Scheme = request["scheme"] == "https" ? "https" : "http",
            Draw = Draw(request),
        };
    }

    private static SupposedConnection ReadConnection(AdminRequest request, string host) => SupposedConnection.Parse(host) with
    {
        ServerName = request["sni"] is { Length: > 0 } name ? name : null,
        ApplicationProtocols = [.. request.All("alpn").Where(protocol => protocol.Length > 0)],
        Draw = Draw(request),
    };

    private static ulong? Draw(AdminRequest request)
        => request["draw"] is not { Length: > 0 } text ? null
            : ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException("draw is no number of up to 16 hexadecimal digits");

    // One a parameter, or one a line.
    private static IEnumerable<(string Name, string Value)> Headers(AdminRequest request)
    {
        foreach (var line in request.All("header").SelectMany(v => v.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            var colon = line.IndexOf(':');
            yield return colon > 0 ? (line[..colon].Trim(), line[(colon + 1)..].Trim()) : throw new FormatException("a header is none: write 'name: value'");
        }
    }
}
