using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// The log levels of the mesh's categories. <c>POST ?level=debug</c> sets all of them, <c>?paths=Mesh.DataPlane:debug,Mesh.Xds:info</c> some,
/// <c>?Mesh.DataPlane=debug</c> one, <c>?reset</c> gives them back to the configuration.
/// </summary>
internal sealed class LoggingEndpoint(LogLevels levels, ILoggerFactory loggers) : AdminEndpoint("/logging", "Log levels")
{
    private static readonly string[] Names = ["trace", "debug", "info", "warning", "error", "critical", "off"];

    public override bool Changes => true;

    public override Task GetAsync(AdminRequest request) => AnswerAsync(request, "");

    public override async Task PostAsync(AdminRequest request)
    {
        if (request.Has("reset") || request.Form?.ContainsKey("reset") == true)
        {
            levels.Reset();
            await AnswerAsync(request, "").ConfigureAwait(false);
            return;
        }

        var changes = new List<(string Category, LogLevel? Level)>();
        foreach (var (category, text) in Wanted(request))
        {
            if (!LogLevels.IsCategory(category))
            {
                await request.RefuseAsync(StatusCodes.Status400BadRequest, "A category is Mesh, or begins with 'Mesh.'; others belong to the application.").ConfigureAwait(false);
                return;
            }

            if (!LogLevels.TryParse(text, out var level))
            {
                await request.RefuseAsync(StatusCodes.Status400BadRequest, $"A level is one of {string.Join(", ", Names)}.").ConfigureAwait(false);
                return;
            }

            changes.Add((category, level));
        }

        if (changes.Count == 0)
        {
            await request.RefuseAsync(StatusCodes.Status400BadRequest, "Nothing is to be set: write ?level=debug, ?paths=Mesh.DataPlane:debug, or ?reset.").ConfigureAwait(false);
            return;
        }

        if (!levels.Change(changes))
        {
            await request.RefuseAsync(StatusCodes.Status400BadRequest, "So many levels are not kept; reset them first.").ConfigureAwait(false);
            return;
        }

        // A factory of the application's own (Serilog's, for instance) may not go by these rules.
        var deaf = changes.Find(c => c.Level is { } level and not LogLevel.None && !loggers.CreateLogger(c.Category).IsEnabled(level));
        await AnswerAsync(request, deaf.Category is null ? "" : "The logger factory of this application does not follow: its levels are set elsewhere.").ConfigureAwait(false);
    }

    private static IEnumerable<(string Category, string Level)> Wanted(AdminRequest request)
    {
        if (request["level"] is { Length: > 0 } level)
        {
            yield return (request["category"] is { Length: > 0 } category ? category : LogLevels.Root, level);
        }

        foreach (var part in request["paths"].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = part.LastIndexOf(':');
            yield return colon < 0 ? (part, "") : (part[..colon], part[(colon + 1)..]);
        }

        foreach (var (name, value) in request.Context.Request.Query)
        {
            if (LogLevels.IsCategory(name))
            {
                yield return (name, value.ToString());
            }
        }
    }

    private Task AnswerAsync(AdminRequest request, string note)
    {
        var all = LogLevels.Categories.Concat(levels.Set.Keys).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Level: LevelOf(name), IsSet: levels.Set.ContainsKey(name)))
            .ToList();
        return request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new { loggers = all.ToDictionary(c => c.Name, c => c.Level, StringComparer.Ordinal), set = levels.Set.Keys, note = note.Length > 0 ? note : null }),
            AdminFormat.Html => request.WritePageAsync("Log levels", Page(request, all, note)),
            _ => request.WriteTextAsync($"{(note.Length > 0 ? note + "\n" : "")}active loggers:\n{string.Concat(all.Select(c => $"  {c.Name}: {c.Level}{(c.IsSet ? " (set here)" : "")}\n"))}"),
        };
    }

    private string LevelOf(string category)
    {
        var logger = loggers.CreateLogger(category);
        for (var level = LogLevel.Trace; level < LogLevel.None; level++)
        {
            if (logger.IsEnabled(level))
            {
                return Names[(int)level];
            }
        }

        return Names[^1];
    }

    private static HtmlText Page(AdminRequest request, List<(string Name, string Level, bool IsSet)> all, string note)
        => HtmlText.Of($"""
            {(note.Length > 0 ? HtmlText.Of($"<p class=\"warn\">{note}</p>") : HtmlText.Empty)}
            <form method="post" action="{request.Root}/logging?format=html">
            <label class="wide">Category<input name="category" value="Mesh" required></label>
            <label>Level<select name="level">{HtmlText.Each(Names, n => HtmlText.Of($"<option>{n}</option>"))}</select></label>
            <button>Set</button><button name="reset" value="1">Back to the configuration</button>
            </form>
            {AdminPage.Table(["Category", "Level", ""], all.Select(c => HtmlText.Of($"<tr><td><code>{c.Name}</code></td><td>{c.Level}</td><td>{(c.IsSet ? "set here" : "")}</td></tr>")), "None.")}
            """);
}
