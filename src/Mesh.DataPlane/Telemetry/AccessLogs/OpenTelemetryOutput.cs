using System.Net.Http.Headers;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Mesh.DataPlane.Calls;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;
using Opentelemetry.Proto.Collector.Logs.V1;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Logs.V1;
using Opentelemetry.Proto.Resource.V1;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Records to a collector of OpenTelemetry, by gRPC or by HTTP.</summary>
internal sealed class OpenTelemetryOutput : CollectorOutput<LogRecord>
{
    private static readonly GrpcMethod<ExportLogsServiceRequest, ExportLogsServiceResponse> Method
        = new("/opentelemetry.proto.collector.logs.v1.LogsService/Export", ExportLogsServiceResponse.Parser);

    private const int MaxAnswer = 64 * 1024;

    private readonly HttpCollector? _http;
    private readonly Resource _resource;

    public OpenTelemetryOutput(AccessLoggerSettings.OpenTelemetry settings, Func<IClusterCalls> calls, Node node, long maxBytes, AccessLogCounts counts, TimeProvider time, ILogger logger)
        : base(settings.Collector, calls, maxBytes, counts, time, logger)
    {
        _http = settings.Http;
        _resource = new Resource();
        if (!settings.DisablesBuiltInLabels)
        {
            Label("log_name", settings.Collector.LogName);
            Label("zone_name", node.Locality?.Zone ?? "");
            Label("cluster_name", node.Cluster);
            Label("node_name", node.Id);
        }

        _resource.Attributes.AddRange(settings.ResourceAttributes);

        void Label(string name, string value) => _resource.Attributes.Add(new KeyValue { Key = name, Value = new AnyValue { StringValue = value } });
    }

    protected override async Task SendAsync(IReadOnlyList<LogRecord> entries, CancellationToken cancellationToken)
    {
        var request = new ExportLogsServiceRequest
        {
            ResourceLogs = { new ResourceLogs { Resource = _resource, ScopeLogs = { new ScopeLogs { LogRecords = { entries } } } } },
        };
        if (_http is null)
        {
            var metadata = new GrpcMetadata();
            foreach (var (name, value) in Collector.Headers)
            {
                metadata.Add(name, value);
            }

            await Calls.UnaryAsync(Collector.Target, Method, request, metadata, cancellationToken).ConfigureAwait(false);
            return;
        }

        using var message = new HttpRequestMessage(HttpMethod.Post, _http.Uri)
        {
            Content = new ByteArrayContent(request.ToByteArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-protobuf") } },
        };
        foreach (var (name, value) in _http.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await Calls.SendAsync(Collector.Target, message, MaxAnswer, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"The collector has answered {(int)response.StatusCode}.");
        }
    }
}
