using System.Collections.Concurrent;
using Google.Protobuf;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>The traces of one process: who makes spans for which listener, and where they go.</summary>
internal sealed class MeshTracing : IDisposable
{
    // Collectors are few; whoever changes them for ever shall not gather exporters.
    private const int MaxExporters = 16;

    private readonly ConcurrentDictionary<ByteString, SpanExporter> _exporters = new();
    private readonly SpanExporter? _own;
    private readonly Lock _sync = new();
    private (long Sent, long Dropped, long Failed) _earlier;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public MeshTracing(TimeProvider time, MeshTracingOptions? options = null, TracedWorkload? workload = null, IRandomSource? random = null, ILogger? logger = null)
    {
        _time = time;
        _logger = logger ?? NullLogger.Instance;
        Options = options ?? new MeshTracingOptions();
        Workload = workload ?? TracedWorkload.Unknown;
        Random = random ?? SystemRandomSource.Instance;
        _own = Options switch
        {
            { ZipkinEndpoint: { } zipkin } => new SpanExporter(new ZipkinSender(new DirectSpanPost(zipkin, time), Workload.ServiceName), time, _logger),
            { OtlpEndpoint: { } otlp } => new SpanExporter(
                new OtlpHttpSender(new DirectSpanPost(otlp, time), new OtlpSpans(Workload.ServiceName, null)), time, _logger),
            _ => null,
        };
        DefaultSampling = new TraceSampling(TraceSampling.All, (uint)Math.Round(Math.Clamp(Options.Sampling, 0, 100) * (TraceSampling.All / 100)), TraceSampling.All);
    }

    /// <summary>The chance of ids and of clients that ask: not that of decisions, which is replayed.</summary>
    public IRandomSource Random { get; }

    public MeshTracingOptions Options { get; }

    public TracedWorkload Workload { get; }

    /// <summary>The rates where the listener says none.</summary>
    public TraceSampling DefaultSampling { get; }

    /// <summary>How collectors are asked that are clusters; given by the engine.</summary>
    public IClusterCalls? Calls { get; set; }

    /// <summary>Who makes the spans of one listener's requests; <see langword="null"/> where traces are none of the mesh's business.</summary>
    public RequestTracer? TracerOf(TracingSettings settings, Reporter reporter)
        => !Options.Enabled ? null
            : reporter == Reporter.Source ? new ClientTracer(this, settings, ExporterOf(settings.Provider)) : new ServerTracer(this, settings, ExporterOf(settings.Provider));

    /// <summary>Spans that collectors have taken, that found no place, and that were sent in vain.</summary>
    public (long Sent, long Dropped, long Failed) Counts()
    {
        lock (_sync)
        {
            return Exporters().Aggregate(_earlier, Add);
        }
    }

    private static (long Sent, long Dropped, long Failed) Add((long Sent, long Dropped, long Failed) counts, SpanExporter exporter)
        => (counts.Sent + exporter.Sent, counts.Dropped + exporter.Dropped, counts.Failed + exporter.Failed);

    /// <summary>Sends what waits, as at the end of the process.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Task.WhenAll(Exporters().Select(exporter => exporter.FlushAsync(cancellationToken)));

    public void Dispose()
    {
        foreach (var exporter in Exporters())
        {
            exporter.Dispose();
        }
    }

    private IEnumerable<SpanExporter> Exporters() => _own is null ? _exporters.Values : _exporters.Values.Prepend(_own);

    private SpanExporter? ExporterOf(TraceProvider? provider)
    {
        if (provider is null)
        {
            return _own;
        }

        while (_exporters.Count >= MaxExporters && !_exporters.ContainsKey(provider.Key))
        {
            // Tracers that still have it go on with it.
            lock (_sync)
            {
                if (_exporters.FirstOrDefault(pair => pair.Value.IsIdle) is not { Key: not null } idle || !_exporters.TryRemove(idle))
                {
                    break;
                }

                // Counters never fall.
                _earlier = Add(_earlier, idle.Value);
            }
        }

        return _exporters.GetOrAdd(provider.Key, static (_, state) => new SpanExporter(state.Self.SenderOf(state.Provider), state.Self._time, state.Self._logger), (Self: this, Provider: provider));
    }

    private SpanSender SenderOf(TraceProvider provider)
    {
        var name = provider.ServiceName.Length > 0 ? provider.ServiceName : Workload.ServiceName;
        return provider switch
        {
            TraceProvider.Zipkin { Uri: { } uri } => new ZipkinSender(new ClusterSpanPost(() => Calls, provider.Target, uri, provider.Headers, _time), name),
            TraceProvider.OpenTelemetry { Uri: { } uri } otlp => new OtlpHttpSender(
                new ClusterSpanPost(() => Calls, provider.Target, uri, provider.Headers, _time), new OtlpSpans(name, otlp)),
            TraceProvider.OpenTelemetry otlp => new OtlpGrpcSender(() => Calls, provider.Target, provider.Headers, _time, new OtlpSpans(name, otlp)),
            _ => throw new InvalidOperationException($"No collector takes the spans of {provider.GetType().Name}."),
        };
    }
}
