using System.Buffers;
using System.Text.Encodings.Web;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Metrics;
using Mesh.Xds.Server;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts what a control plane shows of itself among an application's endpoints, as istiod's port 15014 does.</summary>
public static class MeshMonitoringEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps <c>GET /debug</c> and the pages below it, which <c>meshctl</c> reads, <c>GET /metrics</c> and <c>/stats/prometheus</c>, which Prometheus
    /// reads, and <c>GET /version</c>. Secrets are in none of them. Who may read them is decided by <c>Mesh:ControlPlane:Authentication:Roles</c>: those who have the role <c>StatusReader</c>, and everybody on the same machine.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <returns>A builder for conventions of all these endpoints.</returns>
    /// <exception cref="InvalidOperationException">No control plane is registered.</exception>
    public static IEndpointConventionBuilder MapMeshMonitoring(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var debug = endpoints.ServiceProvider.GetService<IControlPlaneDebug>()
            ?? throw new InvalidOperationException("MapMeshMonitoring: no control plane is registered; call AddMeshControlPlane() on the services first.");
        var group = endpoints.MapGroup("");
        group.MapGet("/debug", (HttpContext context) => IndexAsync(context, debug));
        group.MapGet("/debug/{page}", (HttpContext context, string page) =>
        {
            var reply = debug.Read(HttpCaller.ReaderOf(context), page, name => context.Request.Query[name] is [{ } value, ..] ? value : null);
            context.Response.StatusCode = reply.StatusCode;
            context.Response.ContentType = "application/json";
            NotForOthers(context.Response);
            return context.Response.WriteAsync(reply.Json ?? "", context.RequestAborted);
        });
        var metrics = endpoints.ServiceProvider.GetRequiredService<MetricRegistry>();
        group.MapGet("/metrics", (HttpContext context) => MetricsAsync(context, debug, metrics));
        group.MapGet("/stats/prometheus", (HttpContext context) => MetricsAsync(context, debug, metrics));
        group.MapGet("/version", () => Results.Json(new { version = XdsNode.UserAgentVersion, component = "mesh-control-plane" }));
        return group;
    }

    private static async Task MetricsAsync(HttpContext context, IControlPlaneDebug debug, MetricRegistry metrics)
    {
        if (!debug.MayRead(HttpCaller.ReaderOf(context), "the metrics"))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        var format = ExpositionFormats.Negotiate(context.Request.Headers.Accept);
        context.Response.ContentType = format.ContentType();
        var text = new ArrayBufferWriter<byte>();
        if (format == ExpositionFormat.OpenMetrics)
        {
            OpenMetricsText.Write(metrics, text);
        }
        else
        {
            PrometheusText.Write(metrics, text);
        }

        await context.Response.Body.WriteAsync(text.WrittenMemory, context.RequestAborted);
    }

    private static Task IndexAsync(HttpContext context, IControlPlaneDebug debug)
    {
        NotForOthers(context.Response);
        if (!debug.MayRead(HttpCaller.ReaderOf(context), "the list of pages"))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        }

        var rows = debug.Pages.Select(page => $"<tr><td><a href=\"/debug/{Html(page.Name)}\">{Html(page.Name)}</a></td><td>{Html(page.Summary)}</td></tr>");
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(
            $$"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Mesh control plane</title>
            <style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem}td{padding:.2rem 1.5rem .2rem 0;vertical-align:top}</style></head>
            <body><h1>Mesh control plane</h1><p>{{Html(XdsNode.UserAgentVersion)}}</p>
            <table>
            {{string.Join('\n', rows)}}
            <tr><td><a href="/metrics">/metrics</a></td><td>for Prometheus</td></tr>
            </table></body></html>

            """,
            context.RequestAborted);
    }

    /// <summary>Nothing of it is kept, run, or shown in somebody else's page.</summary>
    private static void NotForOthers(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    }

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
