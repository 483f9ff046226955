using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Opentelemetry.Proto.Collector.Trace.V1;
using Opentelemetry.Proto.Common.V1;

namespace Mesh.Client.Tests.Telemetry.Tracing;

/// <summary>A collector as they are: it takes OTLP by HTTP and gRPC, and Zipkin's JSON, and keeps the spans.</summary>
internal sealed class TraceCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<CollectedSpan> _spans = new();
    private readonly ConcurrentQueue<CollectedPost> _posts = new();

    private TraceCollector(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        _app = builder.Build();
        _app.Run(TakeAsync);
    }

    public int Port => Address.Port;

    public Uri Address => new(_app.Urls.Single());

    public IReadOnlyList<CollectedSpan> Spans => [.. _spans];

    /// <summary>What it was sent, as it was sent.</summary>
    public IReadOnlyList<CollectedPost> Posts => [.. _posts];

    /// <summary>How it answers posts of HTTP; 200 by default.</summary>
    public int Status { get; set; } = StatusCodes.Status200OK;

    public static async Task<TraceCollector> StartAsync(HttpProtocols protocols = HttpProtocols.Http1)
    {
        var collector = new TraceCollector(protocols);
        await collector._app.StartAsync();
        return collector;
    }

    /// <summary>The spans of one trace, the first of them first.</summary>
    public IReadOnlyList<CollectedSpan> Trace(string id) => [.. _spans.Where(span => span.TraceId == id).OrderBy(span => span.Began)];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        var type = context.Request.ContentType ?? "";
        _posts.Enqueue(new CollectedPost(context.Request.Path, context.Request.Host.Value ?? "", type, context.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString())));
        if (Status != StatusCodes.Status200OK)
        {
            context.Response.StatusCode = Status;
            return;
        }

        if (type.StartsWith("application/grpc", StringComparison.Ordinal))
        {
            context.Request.Path.Value.ShouldBe("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
            Take(ExportTraceServiceRequest.Parser.ParseFrom(body, 5, body.Length - 5));
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        }
        else if (type == "application/x-protobuf")
        {
            Take(ExportTraceServiceRequest.Parser.ParseFrom(body));
            context.Response.ContentType = type;
            await context.Response.Body.WriteAsync(new ExportTraceServiceResponse().ToByteArray());
        }
        else
        {
            Take(JsonDocument.Parse(body).RootElement);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    private void Take(ExportTraceServiceRequest request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var service = resource.Resource.Attributes.FirstOrDefault(a => a.Key == "service.name")?.Value.StringValue ?? "";
            foreach (var (scope, span) in resource.ScopeSpans.SelectMany(scope => scope.Spans.Select(span => (scope, span))))
            {
                _spans.Enqueue(new CollectedSpan(
                    service,
                    scope.Scope.Name,
                    Hex(span.TraceId),
                    Hex(span.SpanId),
                    Hex(span.ParentSpanId),
                    span.Name,
                    span.Kind.ToString(),
                    DateTimeOffset.UnixEpoch.AddTicks((long)(span.StartTimeUnixNano / 100)),
                    TimeSpan.FromTicks((long)((span.EndTimeUnixNano - span.StartTimeUnixNano) / 100)),
                    span.Status?.Code == Opentelemetry.Proto.Trace.V1.Status.Types.StatusCode.Error,
                    span.Attributes.ToDictionary(a => a.Key, a => Text(a.Value)),
                    [.. span.Events.Select(e => (e.Name, (IReadOnlyDictionary<string, string>)e.Attributes.ToDictionary(a => a.Key, a => Text(a.Value))))]));
            }
        }
    }

    private void Take(JsonElement spans)
    {
        foreach (var span in spans.EnumerateArray())
        {
            _spans.Enqueue(new CollectedSpan(
                span.GetProperty("localEndpoint").GetProperty("serviceName").GetString()!,
                "",
                span.GetProperty("traceId").GetString()!,
                span.GetProperty("id").GetString()!,
                span.TryGetProperty("parentId", out var parent) ? parent.GetString()! : "",
                span.GetProperty("name").GetString()!,
                span.GetProperty("kind").GetString() == "CLIENT" ? "Client" : "Server",
                DateTimeOffset.UnixEpoch.AddMicroseconds(span.GetProperty("timestamp").GetInt64()),
                TimeSpan.FromMicroseconds(span.GetProperty("duration").GetInt64()),
                span.GetProperty("tags").TryGetProperty("error", out _),
                span.GetProperty("tags").EnumerateObject().ToDictionary(tag => tag.Name, tag => tag.Value.GetString()!),
                []));
        }
    }

    private static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    private static string Text(AnyValue value)
        => value.ValueCase switch
        {
            AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
            AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
            AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(CultureInfo.InvariantCulture),
            _ => value.StringValue,
        };
}
