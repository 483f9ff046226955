using System.IO.Pipelines;
using System.Net;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>What the registry writes, as Prometheus reads it.</summary>
[Trait("Category", "Peers")]
public sealed class ExpositionTests
{
    [PrometheusFact]
    public async Task Reads_every_kind_of_metric_in_either_format()
    {
        var registry = new MetricRegistry();
        registry.Counter("lab_requests_total", "Requests.", "path").Cell("/a").Add(3);
        registry.Gauge("lab_active", "Active.", "path").Cell("/a").Set(-1.5);
        var histogram = registry.Histogram("lab_duration_milliseconds", "Duration.", [0.5, 10, 3_600_000], "path").Cell("/a");
        histogram.Record(0.5);
        histogram.Record(11);
        await using var app = await ServeAsync(registry);

        await using var prometheus = await PrometheusServer.StartAsync(Target(app, "text", "/text"), Target(app, "openmetrics", "/openmetrics"));

        foreach (var job in new[] { "text", "openmetrics" })
        {
            (await prometheus.QueryAsync($"lab_requests_total{{job=\"{job}\",path=\"/a\"}}")).ShouldHaveSingleItem().Value.ShouldBe(3);
            (await prometheus.QueryAsync($"lab_active{{job=\"{job}\"}}")).ShouldHaveSingleItem().Value.ShouldBe(-1.5);
            (await prometheus.QueryAsync($"lab_duration_milliseconds_bucket{{job=\"{job}\"}}")).Select(row => (row["le"], row.Value)).ShouldBe(
                // OpenMetrics has one spelling for each number.
                job == "text" ? [("0.5", 1), ("10", 1), ("3600000", 2), ("+Inf", 2)] : [("0.5", 1), ("10.0", 1), ("3.6e+06", 2), ("+Inf", 2)],
                ignoreOrder: true);
            (await prometheus.QueryAsync($"lab_duration_milliseconds_sum{{job=\"{job}\"}}")).ShouldHaveSingleItem().Value.ShouldBe(11.5);
            (await prometheus.QueryAsync($"lab_duration_milliseconds_count{{job=\"{job}\"}}")).ShouldHaveSingleItem().Value.ShouldBe(2);
        }
    }

    [PrometheusFact]
    public async Task Hostile_label_values_stay_values()
    {
        string[] values = ["\"} 1\nevil_total 9", "a\\\"b\\n", "\\", "é€😀", "\ud800", "</script>", "a\r\nb", "\0\u001b[31m", ""];
        var registry = new MetricRegistry();
        var family = registry.Counter("lab_hostile_total", "Evil \\ \"help\"\nlab_injected 1", "value", "other");
        for (var i = 0; i < values.Length; i++)
        {
            family.Cell(values[i], "x").Add(i + 1);
        }

        await using var app = await ServeAsync(registry);
        await using var prometheus = await PrometheusServer.StartAsync(Target(app, "text", "/text"), Target(app, "openmetrics", "/openmetrics"));

        foreach (var job in new[] { "text", "openmetrics" })
        {
            (await prometheus.QueryAsync($"lab_hostile_total{{job=\"{job}\"}}")).Select(row => (row["value"], (int)row.Value)).OrderBy(row => row.Item2)
                .ShouldBe(values.Select((value, i) => (value == "\ud800" ? "\ufffd" : value, i + 1)));
        }

        (await prometheus.QueryAsync("{__name__=~\"evil.*|lab_injected.*\"}")).ShouldBeEmpty();
    }

    [PrometheusFact]
    public async Task Bounds_are_found_by_the_queries_that_find_Envoys()
    {
        var registry = new MetricRegistry();
        registry.Histogram("lab_duration_milliseconds", "Duration.", [10, 1_000_000]).Cell().Record(7);
        await using var app = await ServeAsync(registry);

        await using var prometheus = await PrometheusServer.StartAsync(Target(app, "negotiated", "/negotiated"));

        (await prometheus.QueryAsync("lab_duration_milliseconds_bucket{le=\"10\"}")).ShouldHaveSingleItem().Value.ShouldBe(1);
        (await prometheus.QueryAsync("lab_duration_milliseconds_bucket{le=\"1000000\"}")).ShouldHaveSingleItem().Value.ShouldBe(1);
    }

    private static PrometheusTarget Target(WebApplication app, string job, string path) => new(job, new Uri(app.Urls.Single()).Authority, path);

    private static async Task<WebApplication> ServeAsync(MetricRegistry registry)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        foreach (var (path, format) in new[] { ("/text", ExpositionFormat.Text), ("/openmetrics", ExpositionFormat.OpenMetrics) })
        {
            app.MapGet(path, async context =>
            {
                context.Response.ContentType = format.ContentType();
                Write(registry, context.Response.BodyWriter, format);
                await context.Response.BodyWriter.FlushAsync();
            });
        }

        app.MapGet("/negotiated", async context =>
        {
            var format = ExpositionFormats.Negotiate(context.Request.Headers.Accept);
            context.Response.ContentType = format.ContentType();
            Write(registry, context.Response.BodyWriter, format);
            await context.Response.BodyWriter.FlushAsync();
        });
        await app.StartAsync();
        return app;
    }

    private static void Write(MetricRegistry registry, PipeWriter output, ExpositionFormat format)
    {
        if (format == ExpositionFormat.OpenMetrics)
        {
            OpenMetricsText.Write(registry, output);
        }
        else
        {
            PrometheusText.Write(registry, output);
        }
    }
}
