using System.Collections.Concurrent;
using Envoy.Config.Core.V3;
using Envoy.Data.Accesslog.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Formatting;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// The access logs of one process: outputs are shared by all listeners that write to them, and outlive each version of a listener.
/// </summary>
internal sealed partial class MeshAccessLogs : IAsyncDisposable, IDisposable
{
    // A control plane shall not be able to make this process open ever more files and streams.
    private const int MaxOutputs = 64;

    private readonly ConcurrentDictionary<(string Sink, string Target), object> _outputs = new();
    private readonly ConcurrentDictionary<string, bool> _refused = new(StringComparer.Ordinal);
    private readonly MeshAccessLogOptions _options;
    private readonly MetricRegistry _metrics;
    private readonly IRandomSource _random;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Node _node;
    private readonly Func<string, Stream> _openStream;
    private readonly (AccessLogFilter? Filter, AccessLogger Logger, IEnumerable<string> Headers)? _own;
    private IClusterCalls? _calls;

    /// <param name="options">What the application's settings say.</param>
    /// <param name="metrics">Where it is shown what becomes of entries.</param>
    /// <param name="random">Chance, for shares of requests.</param>
    /// <param name="time">The clock.</param>
    /// <param name="node">Whose entries they are, for services that take them.</param>
    /// <param name="loggers">Is told of outputs that fail, and takes entries for <see cref="MeshAccessLogSink.Logger"/>.</param>
    /// <param name="openStream">Opens standard output and standard error.</param>
    public MeshAccessLogs(
        MeshAccessLogOptions options, MetricRegistry metrics, IRandomSource random, TimeProvider time, Node? node = null, ILoggerFactory? loggers = null, Func<string, Stream>? openStream = null)
    {
        (_options, _metrics, _random, _time) = (options, metrics, random, time);
        _node = node ?? new Node();
        loggers ??= NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger<MeshAccessLogs>();
        _openStream = openStream ?? (path => path == LineOutputs.Stderr ? Console.OpenStandardError() : Console.OpenStandardOutput());
        _own = Own(loggers);
    }

    /// <summary>How collectors are reached; given by the engine.</summary>
    public IClusterCalls Calls
    {
        get => _calls ?? throw new InvalidOperationException("These access logs belong to no engine, and there is nobody to call.");
        set => _calls = value;
    }

    /// <summary>What writes the logs of a listener, and the application's own.</summary>
    /// <param name="logs">What the listener says.</param>
    /// <param name="reporter">Whose requests they are.</param>
    /// <returns><see langword="null"/> when nothing is logged.</returns>
    public AccessLogSink? SinkOf(IReadOnlyList<AccessLogSettings> logs, Reporter reporter)
    {
        var bound = new List<(AccessLogFilter? Filter, AccessLogger Logger)>(logs.Count + 1);
        var headers = new List<string>();
        if (_own is { } own)
        {
            bound.Add((own.Filter, own.Logger));
            headers.AddRange(own.Headers);
        }

        headers.AddRange(Bind(logs, bound));
        return bound.Count == 0 ? null : new AccessLogSink([.. bound], reporter == Reporter.Source ? headers : null, _random);
    }

    /// <summary>Standard output, for lines that are no access logs and share its order and bounds; <see langword="null"/> when there are too many outputs.</summary>
    public LineOutput? Stdout => OutputOf(LineOutputs.Stdout);

    /// <summary>What writes the logs of connections. The application's own log is of requests.</summary>
    /// <param name="logs">What the listener and its chain say.</param>
    /// <returns><see langword="null"/> when nothing is logged.</returns>
    public AccessLogSink? ConnectionSinkOf(IReadOnlyList<AccessLogSettings> logs)
    {
        var bound = new List<(AccessLogFilter? Filter, AccessLogger Logger)>(logs.Count);
        Bind(logs, bound);
        return bound.Count == 0 ? null : new AccessLogSink([.. bound], requestHeaders: null, _random);
    }

    /// <summary>Writes and sends what is there.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_outputs.Values.Select(o => o switch
        {
            LineOutput lines => lines.FlushAsync(cancellationToken),
            CollectorOutput<HTTPAccessLogEntry> requests => requests.FlushAsync(cancellationToken),
            CollectorOutput<TCPAccessLogEntry> connections => connections.FlushAsync(cancellationToken),
            OpenTelemetryOutput records => records.FlushAsync(cancellationToken),
            _ => Task.CompletedTask,
        })).ConfigureAwait(false);
    }

    /// <summary>Writes what is there, as long as <see cref="MeshAccessLogOptions.ShutdownTimeout"/> allows, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await FlushAtEndAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (var output in _outputs.Values)
        {
            await ((IAsyncDisposable)output).DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>For containers that are disposed synchronously; as <see cref="DisposeAsync"/>, and no longer than that may take.</summary>
    public void Dispose() => Task.Run(() => DisposeAsync().AsTask()).Wait(_options.ShutdownTimeout + TimeSpan.FromSeconds(1));

    /// <summary>Writes what is there, as long as <see cref="MeshAccessLogOptions.ShutdownTimeout"/> allows.</summary>
    public async Task FlushAtEndAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.ShutdownTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await FlushAsync(either.Token).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Log.GivenUp(_logger);
        }
    }

    private List<string> Bind(IReadOnlyList<AccessLogSettings> logs, List<(AccessLogFilter? Filter, AccessLogger Logger)> bound)
    {
        var headers = new List<string>();
        foreach (var log in logs)
        {
            if (Bind(log.Logger) is { } logger)
            {
                bound.Add((log.Filter, logger));
                headers.AddRange(log.Logger.RequestHeaders.Concat(log.Filter?.RequestHeaders ?? []));
            }
        }

        return headers;
    }

    private AccessLogger? Bind(AccessLoggerSettings settings)
    {
        switch (settings)
        {
            case AccessLoggerSettings.Lines lines:
                return OutputOf(lines.Path) is { } output ? new LineLogger(lines.Format, output) : null;
            case AccessLoggerSettings.Grpc grpc:
                var collector = grpc.Collector;
                return new GrpcLogger(
                    grpc,
                    () => Get("grpc", Key(collector), () => new GrpcOutput<HTTPAccessLogEntry>(collector, () => Calls, _node, _options.MaxBufferedBytes, Counts("grpc", collector), _time, _logger)),
                    () => Get("grpc_tcp", Key(collector), () => new GrpcOutput<TCPAccessLogEntry>(collector, () => Calls, _node, _options.MaxBufferedBytes, Counts("grpc_tcp", collector), _time, _logger)));
            default:
                var records = (AccessLoggerSettings.OpenTelemetry)settings;
                var labels = string.Join(',', records.ResourceAttributes.Select(a => a.ToString()));
                return Get(
                    "open_telemetry",
                    $"{Key(records.Collector)}|{records.Http?.Uri}|{string.Join(',', records.Http?.Headers ?? [])}|{records.DisablesBuiltInLabels}|{labels}",
                    () => new OpenTelemetryOutput(records, () => Calls, _node, _options.MaxBufferedBytes, Counts("open_telemetry", records.Collector), _time, _logger)) is { } to
                    ? new OpenTelemetryLogger(records, to)
                    : null;
        }
    }

    // Two listeners that say the same share an output.
    private static string Key(CollectorSettings collector)
        => $"{collector.Target.Cluster}|{collector.Target.Authority}|{collector.Target.Timeout}|{collector.LogName}|{collector.FlushInterval}|{collector.BufferBytes}|{string.Join(',', collector.Headers)}";

    private AccessLogCounts Counts(string sink, CollectorSettings collector) => new(_metrics, sink, collector.LogName);

    private LineOutput? OutputOf(string path)
    {
        if (path == LineOutputs.Null)
        {
            return null;
        }

        if (path is LineOutputs.Stdout or LineOutputs.Stderr)
        {
            return Stream(path);
        }

        if (LineOutputs.Resolve(path, _options.Directory) is not { } file)
        {
            if (_refused.Count < MaxOutputs && _refused.TryAdd(path, true))
            {
                Log.Refused(_logger, path, string.IsNullOrEmpty(_options.Directory)
                    ? "a control plane may write files only below the directory Mesh:AccessLog:Directory, which is not set. Set it, or let the log go to /dev/stdout."
                    : $"it does not lie below {_options.Directory} (Mesh:AccessLog:Directory). Set another directory, or let the log go below it or to /dev/stdout.");
            }

            return null;
        }

        return Get<LineOutput>("file", file, () => new FileOutput(file, null, Queue, new AccessLogCounts(_metrics, "file", file), _time, _logger));
    }

    private LineOutput? Stream(string path)
    {
        var name = path == LineOutputs.Stdout ? "stdout" : "stderr";
        return Get<LineOutput>(name, "", () => new StreamOutput(path, () => _openStream(path), Queue, new AccessLogCounts(_metrics, name, ""), _time, _logger));
    }

    private LogQueueSettings Queue => new(_options.FlushInterval, 64 * 1024, _options.MaxBufferedBytes);

    private T? Get<T>(string sink, string target, Func<T> make)
        where T : class
    {
        if (_outputs.TryGetValue((sink, target), out var known))
        {
            return (T)known;
        }

        lock (_outputs)
        {
            if (_outputs.TryGetValue((sink, target), out known))
            {
                return (T)known;
            }

            if (_outputs.Count >= MaxOutputs)
            {
                Log.TooMany(_logger, MaxOutputs);
                return null;
            }

            var made = make();
            _outputs[(sink, target)] = made;
            return made;
        }
    }

    private (AccessLogFilter? Filter, AccessLogger Logger, IEnumerable<string> Headers)? Own(ILoggerFactory loggers)
    {
        if (_options.Sink == MeshAccessLogSink.None)
        {
            return null;
        }

        var format = FormatOf(_options);
        var filter = _options.Filter is { Length: > 0 } text ? AccessLogFilterCompiler.Expression(text, "Mesh:AccessLog:Filter") : null;
        var output = _options.Sink switch
        {
            MeshAccessLogSink.Stdout => Stream(LineOutputs.Stdout),
            MeshAccessLogSink.Stderr => Stream(LineOutputs.Stderr),
            MeshAccessLogSink.Logger => Get<LineOutput>("logger", "", () => new LoggerOutput(
                loggers.CreateLogger(LoggerOutput.Category), Queue, new AccessLogCounts(_metrics, "logger", ""), _time, _logger)),
            _ => Get<LineOutput>("file", Path.GetFullPath(_options.Path!), () => new FileOutput(
                Path.GetFullPath(_options.Path!), new FileRotation(_options.MaxFileSize, _options.MaxFiles), Queue, new AccessLogCounts(_metrics, "file", _options.Path!), _time, _logger)),
        };
        return (filter, new LineLogger(format, output!), format.RequestHeaders.Concat(filter?.RequestHeaders ?? []));
    }

    /// <summary>The format of the application's own log.</summary>
    /// <exception cref="SubstitutionFormatException">It cannot be compiled.</exception>
    public static AccessLogFormat FormatOf(MeshAccessLogOptions options)
    {
        if (options.Encoding == MeshAccessLogEncoding.Text)
        {
            var text = options.Format is { Length: > 0 } given ? given.EndsWith('\n') ? given : given + "\n" : AccessLogFormats.Envoy;
            return new AccessLogFormat(SubstitutionFormat.Parse(text, options.OmitEmptyValues));
        }

        var json = new Struct();
        foreach (var (name, format) in options.JsonFormat.Count > 0 ? options.JsonFormat.AsEnumerable() : AccessLogFormats.Properties)
        {
            json.Fields[name] = Value.ForString(format);
        }

        return new AccessLogFormat(JsonFormat.Parse(json, options.OmitEmptyValues));
    }

    private static partial class Log
    {
        [LoggerMessage(5, LogLevel.Warning, "The access log {Path} that the control plane asks for is not written: {Reason}")]
        public static partial void Refused(ILogger logger, string path, string reason);

        [LoggerMessage(6, LogLevel.Warning, "There are {Max} outputs of access logs already; what the control plane asks for beyond is not written.")]
        public static partial void TooMany(ILogger logger, int max);

        [LoggerMessage(7, LogLevel.Warning, "Access logs could not be written within Mesh:AccessLog:ShutdownTimeout; what was left is lost.")]
        public static partial void GivenUp(ILogger logger);
    }
}
