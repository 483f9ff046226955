using System.Net;
using System.Threading.Channels;
using Envoy.Service.Accesslog.V3;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Opentelemetry.Proto.Collector.Logs.V1;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>Takes access logs, as an access log service and as a collector of OpenTelemetry, by gRPC and by HTTP.</summary>
internal sealed class LogCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LogCollector(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = protocols));
        _app = builder.Build();
        _app.MapGrpcDuplex<StreamAccessLogsMessage, StreamAccessLogsResponse>(
            "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", StreamAccessLogsMessage.Parser, async call =>
            {
                Streams++;
                while (await call.ReadAsync(call.CancellationToken) is { } message)
                {
                    Headers = call.HttpContext.Request.Headers["x-collector"].ToString();
                    await Messages.Writer.WriteAsync(message);
                    if (EndsStreams)
                    {
                        return;
                    }
                }
            });
        _app.MapGrpcUnary(
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export", ExportLogsServiceRequest.Parser, async (request, _, _) =>
            {
                await Exports.Writer.WriteAsync(request);
                return new ExportLogsServiceResponse();
            });
        _app.MapPost("/v1/logs", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Headers = context.Request.Headers["x-collector"] + " " + context.Request.ContentType;
            await Exports.Writer.WriteAsync(ExportLogsServiceRequest.Parser.ParseFrom(body.ToArray()));
        });
    }

    public int Port { get; private set; }

    public int Streams { get; private set; }

    /// <summary>A stream ends with its first message, as if the service had been started anew.</summary>
    public bool EndsStreams { get; set; }

    public string Headers { get; private set; } = "";

    public Channel<StreamAccessLogsMessage> Messages { get; } = Channel.CreateUnbounded<StreamAccessLogsMessage>();

    public Channel<ExportLogsServiceRequest> Exports { get; } = Channel.CreateUnbounded<ExportLogsServiceRequest>();

    public static async Task<LogCollector> StartAsync(HttpProtocols protocols = HttpProtocols.Http2)
    {
        var collector = new LogCollector(protocols);
        await collector._app.StartAsync();
        collector.Port = new Uri(collector._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
