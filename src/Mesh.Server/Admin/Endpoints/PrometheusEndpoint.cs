using System.Buffers;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>All metrics for Prometheus to scrape.</summary>
internal sealed class PrometheusEndpoint() : AdminEndpoint("/stats/prometheus", "Metrics")
{
    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request) => WriteAsync(request.Context, request.Services.GetRequiredService<MetricRegistry>());

    /// <summary>Writes the metrics in the format that is asked for.</summary>
    public static async Task WriteAsync(HttpContext context, MetricRegistry registry)
    {
        var format = ExpositionFormats.Negotiate(context.Request.Headers.Accept.ToString());
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        if (format == ExpositionFormat.OpenMetrics)
        {
            OpenMetricsText.Write(registry, buffer);
        }
        else
        {
            PrometheusText.Write(registry, buffer);
        }

        var response = context.Response;
        response.ContentType = format.ContentType();
        response.ContentLength = buffer.WrittenCount;
        response.Headers.Vary = "Accept";
        response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
