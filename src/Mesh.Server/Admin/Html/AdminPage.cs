using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Admin.Html;

/// <summary>What all pages have in common: readable on a telephone, in light and in dark, without a script and without anything from elsewhere.</summary>
internal static class AdminPage
{
    private static readonly string Style = """
        :root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas);--soft:color-mix(in srgb,CanvasText 5%,Canvas);--dim:color-mix(in srgb,CanvasText 65%,Canvas);--good:#1a7f37;--bad:#c62828;--warn:#9a6700;--link:#0b5cad}
        @media (prefers-color-scheme:dark){:root{--good:#4cc36b;--bad:#ff7b72;--warn:#e3b341;--link:#79b8ff}}
        *{box-sizing:border-box}
        body{margin:0;font:15px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
        header{border-bottom:1px solid var(--line);padding:.6rem 1rem;background:var(--soft)}
        header{display:flex;flex-wrap:wrap;gap:.2rem 1rem}
        nav{display:flex;flex-wrap:wrap;gap:.2rem .8rem}
        main{padding:1rem;max-width:80rem;margin:auto}
        a{color:var(--link)}
        h1{font-size:1.3rem;margin:.2rem 0 .8rem}
        h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
        th{color:var(--dim);font-weight:600;font-size:.85rem}
        td.n{font-variant-numeric:tabular-nums}
        code,pre,input,select,textarea{font:13px/1.5 ui-monospace,Consolas,monospace}
        td code{overflow-wrap:anywhere;min-width:9rem;display:inline-block}
        pre{overflow-x:auto;background:var(--soft);padding:.7rem}
        details{border:1px solid var(--line);border-radius:6px;padding:.4rem .7rem;margin:.5rem 0}
        summary{cursor:pointer;overflow-wrap:anywhere}
        .good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.dim{color:var(--dim)}
        form{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:.6rem 0}
        label{display:flex;flex-direction:column;font-size:.85rem;color:var(--dim)}
        label.wide{flex:1 1 22rem}
        input,select,textarea{padding:.35rem .5rem;border:1px solid var(--line);border-radius:4px;background:Canvas;color:CanvasText;max-width:100%}
        button{padding:.4rem .9rem;border:1px solid var(--line);border-radius:4px;background:var(--soft);color:CanvasText;font:inherit;cursor:pointer}
        ul{margin:.2rem 0;padding-left:1.2rem}
        """.ReplaceLineEndings("\n");

    /// <summary>What a page may load: its own style, and nothing else; and nobody may frame it.</summary>
    public static string ContentSecurityPolicy { get; }
        = $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly HtmlText StyleElement = HtmlText.Verbatim($"<style>{Style}</style>");

    public static HtmlText Of(AdminRequest request, string title, HtmlText body)
    {
        var endpoints = request.Services.GetRequiredService<AdminEndpoints>();
        var workload = request.Services.GetRequiredService<IOptions<MeshOptions>>().Value.Workload;
        var name = workload.EffectiveLabels().TryGetValue("app", out var app) ? $"{app}.{workload.Namespace}" : workload.Namespace;
        return HtmlText.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <title>{title} · {name} · Mesh</title>
            {StyleElement}
            </head>
            <body>
            <header><b>{name}</b><nav>{HtmlText.Each(endpoints.All.Where(e => e.IsPage), e => HtmlText.Of($"<a href=\"{request.Root}{e.Path}\">{e.Title}</a>"))}</nav></header>
            <main>
            <h1>{title}</h1>
            {body}
            </main>
            </body>
            </html>

            """);
    }

    /// <summary>A table that scrolls by itself where it is too wide.</summary>
    public static HtmlText Table(IEnumerable<string> heads, IEnumerable<HtmlText> rows, string none)
    {
        var all = rows.ToList();
        return all.Count == 0
            ? HtmlText.Of($"<p class=\"dim\">{none}</p>")
            : HtmlText.Of($"<div class=\"scroll\"><table><thead><tr>{HtmlText.Each(heads, h => HtmlText.Of($"<th>{h}</th>"))}</tr></thead><tbody>{HtmlText.Join(all)}</tbody></table></div>");
    }

    public static HtmlText List(IEnumerable<string> items)
    {
        var all = items.ToList();
        return all.Count == 0 ? HtmlText.Empty : HtmlText.Of($"<ul>{HtmlText.Each(all, i => HtmlText.Of($"<li>{i}</li>"))}</ul>");
    }

    /// <summary>A state in the colour of what it means.</summary>
    public static HtmlText State(string state)
        => HtmlText.Of($"<span class=\"{ColourOf(state)}\">{state}</span>");

    private static string ColourOf(string state)
        => state.ToUpperInvariant() switch
        {
            "READY" or "MESHED" or "LIVE" or "SYNCED" or "ACKED" or "HEALTHY" or "CONNECTED" or "ALLOWED" or "CHOSEN" => "good",
            "UNHEALTHY" or "FAILED" or "MISSING" or "NACK" or "NACKED" or "REFUSING" or "DISCONNECTED" or "DENIED" or "RECEIVED_ERROR" or "TIMEOUT" => "bad",
            "DEGRADED" or "PENDING" or "STALE" or "NOT SENT" or "WAITING" or "REQUESTED" or "INITIALIZING" or "DRAINING" => "warn",
            _ => "dim",
        };
}
