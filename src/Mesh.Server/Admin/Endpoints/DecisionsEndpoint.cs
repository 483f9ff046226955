using System.Globalization;
using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// The last requests of this process with where they went; <c>?number=</c> explains one by the state that it was decided by. <c>POST ?watch=60</c> records
/// for so many seconds, <c>POST ?clear</c> forgets all.
/// </summary>
internal sealed class DecisionsEndpoint(DecisionLog log) : AdminEndpoint("/decisions", "Last requests")
{
    public override bool Changes => true;

    public override Task GetAsync(AdminRequest request)
    {
        if (request["number"] is not { Length: > 0 } text)
        {
            return ListAsync(request);
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || log.Find(number) is not { } found)
        {
            return request.RefuseAsync(StatusCodes.Status404NotFound, "There is no such decision, or it has been forgotten since.");
        }

        var explanation = new RequestExplainer(request.Engine, request.Time).Explain(found);
        return request.FormatOr(AdminFormat.Json) switch
        {
            AdminFormat.Html => request.WritePageAsync("Why did it go there?", HtmlText.Of($"{Headers(found)}{ExplainPieces.Of(request, explanation)}")),
            AdminFormat.Text => request.WriteTextAsync(string.Concat(explanation.Lines.Prepend(explanation.Verdict).Select(l => l.ReplaceLineEndings(" ") + "\n"))),
            _ => request.WriteJsonAsync(explanation),
        };
    }

    public override Task PostAsync(AdminRequest request)
    {
        if (request.Has("clear") || request.Form?.ContainsKey("clear") == true)
        {
            log.Clear();
        }
        else if (double.TryParse(request["watch"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds >= 0 && seconds <= DecisionLog.LongestWatch.TotalSeconds)
        {
            log.Watch(TimeSpan.FromSeconds(seconds));
        }
        else
        {
            return request.RefuseAsync(StatusCodes.Status400BadRequest, $"For how many seconds? Write ?watch=60, at most {DecisionLog.LongestWatch.TotalSeconds}; or ?clear.");
        }

        return ListAsync(request);
    }

    private Task ListAsync(AdminRequest request)
    {
        var latest = log.Latest();
        return request.FormatOr(AdminFormat.Json) switch
        {
            AdminFormat.Html => request.WritePageAsync("Last requests", Page(request, latest)),
            AdminFormat.Text => request.WriteTextAsync(string.Concat(latest.Select(d => Line(d).ReplaceLineEndings(" ") + "\n"))),
            _ => request.WriteJsonAsync(new
            {
                recording = log.IsRecording,
                seconds_left = log.Left?.TotalSeconds,
                decisions = latest.Select(d => new
                {
                    number = d.Number,
                    at = d.At,
                    method = d.Request.Method,
                    authority = d.Host.Authority,
                    path = RequestSnapshot.Shown(d.Request.PathAndQuery),
                    headers = d.Request.ShownHeaders.Select(h => new { name = h.Name, value = h.Value }),
                    draw = d.Draw.ToString("x16", CultureInfo.InvariantCulture),
                    route = d.Decision.Route?.ToString(),
                    cluster = d.Decision.Cluster?.Name,
                    endpoint = d.Decision.Endpoint?.ToString(),
                    reply = d.Decision.Endpoint is null ? d.Decision.Reply?.Details : null,
                }),
            }),
        };
    }

    private static string Line(RecordedDecision d)
        => $"{d.Number} {d.At:O} {d.Request.Method} {d.Host.Authority}{RequestSnapshot.Shown(d.Request.PathAndQuery)} -> {To(d)}";

    private static string To(RecordedDecision d)
        => d.Decision.Endpoint is { } endpoint ? $"{endpoint} of {d.Decision.Cluster?.Name}" : $"the mesh itself: {d.Decision.Reply?.Details}";

    private static HtmlText Headers(RecordedDecision found)
        => HtmlText.Of($"<details><summary>Headers of the request</summary><pre>{string.Join('\n', found.Request.ShownHeaders.Select(h => $"{h.Name}: {h.Value}"))}</pre></details>");

    private HtmlText Page(AdminRequest request, IReadOnlyList<RecordedDecision> latest)
        => HtmlText.Of($"""
            <p>{(log.Left is not { } left ? "Decisions are recorded (Mesh:Admin:RecordedDecisions)." : left > TimeSpan.Zero ? $"Decisions are recorded for another {left.TotalSeconds:0} seconds." : "Decisions are not recorded.")}</p>
            <form method="post" action="{request.Root}/decisions?format=html"><label>Seconds<input name="watch" type="number" min="0" max="{DecisionLog.LongestWatch.TotalSeconds}" value="60"></label><button>Record</button><button name="clear" value="1">Forget all</button></form>
            {AdminPage.Table(
                ["", "When", "Request", "Route", "Went to"],
                latest.Select(d => HtmlText.Of($"<tr><td><a href=\"{request.Root}/decisions?number={d.Number}&amp;format=html\">{d.Number}</a></td><td>{d.At:HH:mm:ss.fff}</td><td><code>{d.Request.Method} {d.Host.Authority}{RequestSnapshot.Shown(d.Request.PathAndQuery)}</code></td><td>{d.Decision.Route?.ToString()}</td><td>{To(d)}</td></tr>")),
                "None.")}
            """);
}
