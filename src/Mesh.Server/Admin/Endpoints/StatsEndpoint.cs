using System.Globalization;
using System.Text;
using Mesh.Server.Admin.Html;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>The counters as they are now, one a line; <c>?filter=</c> takes an expression, <c>?usedonly</c> leaves out what is zero.</summary>
internal sealed class StatsEndpoint() : AdminEndpoint("/stats", "Counters")
{
    public override async Task GetAsync(AdminRequest request)
    {
        var registry = request.Services.GetRequiredService<MetricRegistry>();
        if (request["format"] == "prometheus")
        {
            await PrometheusEndpoint.WriteAsync(request.Context, registry).ConfigureAwait(false);
            return;
        }

        var (isGood, filter) = await request.PatternAsync("filter").ConfigureAwait(false);
        if (!isGood)
        {
            return;
        }

        var visitor = new Lines();
        registry.Collect(visitor);
        var stats = visitor.Stats
            .Where(s => (filter is null || filter.IsPartialMatch(s.FullName)) && (!request.Has("usedonly") || s.Value != 0))
            .ToList();
        await (request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new { stats = stats.Select(s => new { name = s.Name, labels = s.Labels, value = s.Value }) }),
            AdminFormat.Html => request.WritePageAsync("Counters", Page(request, stats)),
            _ => request.WriteTextAsync(string.Concat(stats.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.FullName}: {s.Value}\n")))),
        }).ConfigureAwait(false);
    }

    private static HtmlText Page(AdminRequest request, List<Stat> stats)
        => HtmlText.Of($"""
            <form method="get" action="{request.Root}/stats"><label class="wide">Filter (a regular expression)<input name="filter" value="{request["filter"]}"></label><input type="hidden" name="format" value="html"><button>Show</button></form>
            <p><a href="{request.Root}/stats/prometheus">In Prometheus' format</a></p>
            {AdminPage.Table(["Counter", "Value"], stats.Select(s => HtmlText.Of($"<tr><td><code>{s.FullName}</code></td><td class=\"n\">{s.Value}</td></tr>")), "There is none.")}
            """);

    private sealed record Stat(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
    {
        public string FullName { get; } = Labels.Count == 0
            ? Name
            : new StringBuilder(Name).Append('{').AppendJoin(',', Labels.Select(l => $"{l.Key}=\"{Escape(l.Value)}\"")).Append('}').ToString();

        private static string Escape(string value)
            => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);
    }

    private sealed class Lines : IMetricVisitor
    {
        private MetricFamily? _family;

        public List<Stat> Stats { get; } = [];

        public void Family(MetricFamily family) => _family = family;

        public void Value(ReadOnlySpan<string> labels, double value) => Add("", labels, value);

        public void Histogram(ReadOnlySpan<string> labels, in HistogramReading reading)
        {
            var count = 0L;
            foreach (var one in reading.Counts)
            {
                count += one;
            }

            Add("_count", labels, count);
            Add("_sum", labels, reading.Sum);
        }

        private void Add(string suffix, ReadOnlySpan<string> labels, double value)
        {
            var named = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < labels.Length; i++)
            {
                named[_family!.Labels[i]] = labels[i];
            }

            Stats.Add(new Stat(_family!.Name + suffix, named, value));
        }
    }
}
