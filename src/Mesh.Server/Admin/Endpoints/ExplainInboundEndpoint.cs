using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// Whether a request that comes in would reach the application, and which policy decides:
/// <c>?port=9080&amp;principal=spiffe://cluster.local/ns/default/sa/productpage&amp;path=/reviews/0&amp;claim=iss:issuer</c>. Nothing is counted.
/// </summary>
internal sealed class ExplainInboundEndpoint() : AdminEndpoint("/explain/inbound", "Who may come in?")
{
    private const int MaxClaims = 50;

    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request)
    {
        InboundExplanation explanation;
        try
        {
            if (request.Ports is not { } ports)
            {
                return request.RefuseAsync(StatusCodes.Status404NotFound, "This process has no port that the mesh covers.");
            }

            explanation = new InboundExplainer(ports).Explain(Read(request));
        }
        catch (FormatException e)
        {
            return request.RefuseAsync(StatusCodes.Status400BadRequest, e.Message);
        }

        return request.FormatOr(AdminFormat.Json) switch
        {
            AdminFormat.Html => request.WritePageAsync(Title, HtmlText.Of($"{ExplainPieces.InboundForm(request)}{ExplainPieces.Of(explanation)}")),
            AdminFormat.Text => request.WriteTextAsync(string.Concat(explanation.Lines.Prepend(explanation.Verdict).Select(l => l.ReplaceLineEndings(" ") + "\n"))),
            _ => request.WriteJsonAsync(explanation),
        };
    }

    private static SupposedCall Read(AdminRequest request)
    {
        var port = 0;
        if (request["port"] is { Length: > 0 } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port))
        {
            throw new FormatException("port is no number");
        }

        // The port is that of the listener here, not of the host.
        var asked = ExplainEndpoint.Read(request, request["host"] is { Length: > 0 } host ? host : "localhost");
        return new SupposedCall(port, request["principal"] is { Length: > 0 } principal ? principal : null, asked)
        {
            Address = request["address"] is not { Length: > 0 } address ? IPAddress.Loopback
                : IPAddress.TryParse(address, out var parsed) ? parsed
                : throw new FormatException("address is no IP address"),
            Claims = Claims(request),
        };
    }

    private static JsonObject? Claims(AdminRequest request)
    {
        JsonObject? claims = null;
        foreach (var line in request.All("claim").SelectMany(v => v.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            var colon = line.IndexOf(':');
            if (colon <= 0 || claims?.Count >= MaxClaims)
            {
                throw new FormatException($"a claim is none, or there are more than {MaxClaims}: write 'name: value'");
            }

            // Several values of one claim are a list, as groups are.
            var (name, value) = (line[..colon].Trim(), line[(colon + 1)..].Trim());
            claims ??= [];
            claims[name] = claims[name] switch
            {
                null => value,
                JsonArray list => new JsonArray([.. list.Select(v => v?.DeepClone()), value]),
                var first => new JsonArray(first.DeepClone(), value),
            };
        }

        return claims;
    }
}
