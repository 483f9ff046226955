using Envoy.Config.Core.V3;
using Envoy.Data.Accesslog.V3;
using Envoy.Service.Accesslog.V3;
using Google.Protobuf;
using Mesh.DataPlane.Calls;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Entries to an access log service, by one stream that stays open; its first message says whose entries they are.</summary>
/// <typeparam name="T"><see cref="HTTPAccessLogEntry"/> or <see cref="TCPAccessLogEntry"/>.</typeparam>
internal sealed class GrpcOutput<T> : CollectorOutput<T>
    where T : IMessage<T>
{
    private static readonly GrpcMethod<StreamAccessLogsMessage, StreamAccessLogsResponse> Method
        = new("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", StreamAccessLogsResponse.Parser);

    // A service that reads nothing shall not keep what waits behind.
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    private readonly Node _node;
    private readonly TimeProvider _time;
    private GrpcDuplexCall<StreamAccessLogsMessage, StreamAccessLogsResponse>? _stream;
    private Task _ended = Task.CompletedTask;

    public GrpcOutput(CollectorSettings collector, Func<IClusterCalls> calls, Node node, long maxBytes, AccessLogCounts counts, TimeProvider time, ILogger logger)
        : base(collector, calls, maxBytes, counts, time, logger) => (_node, _time) = (node, time);

    protected override async Task SendAsync(IReadOnlyList<T> entries, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(WriteTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        if (_ended.IsCompleted)
        {
            await CloseAsync().ConfigureAwait(false);
        }

        var isFirst = _stream is null;
        var message = new StreamAccessLogsMessage();
        if (isFirst)
        {
            var metadata = new GrpcMetadata();
            foreach (var (name, value) in Collector.Headers)
            {
                metadata.Add(name, value);
            }

            message.Identifier = new StreamAccessLogsMessage.Types.Identifier { Node = _node, LogName = Collector.LogName };
            _stream = await Calls.OpenDuplexAsync(Collector.Target, Method, metadata, either.Token).ConfigureAwait(false);
            _ended = WatchAsync(_stream);
        }

        if (entries is IReadOnlyList<HTTPAccessLogEntry> requests)
        {
            message.HttpLogs = new StreamAccessLogsMessage.Types.HTTPAccessLogEntries { LogEntry = { requests } };
        }
        else
        {
            message.TcpLogs = new StreamAccessLogsMessage.Types.TCPAccessLogEntries { LogEntry = { (IReadOnlyList<TCPAccessLogEntry>)entries } };
        }

        await _stream!.WriteAsync(message, either.Token).ConfigureAwait(false);
    }

    protected override async ValueTask CloseAsync()
    {
        if (_stream is { } stream)
        {
            _stream = null;

            // The service answers when it has read all there is; what it does not within a while it does not.
            stream.CompleteWriting();
            await Task.WhenAny(_ended, Task.Delay(TimeSpan.FromSeconds(1), _time)).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            await _ended.ConfigureAwait(false);
        }
    }

    // The end of the stream is the only thing that the service ever says.
    private static async Task WatchAsync(GrpcDuplexCall<StreamAccessLogsMessage, StreamAccessLogsResponse> stream)
    {
        try
        {
            while (await stream.ReadAsync(CancellationToken.None).ConfigureAwait(false) is not null)
            {
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // The next entries find the stream ended, and open another.
        }
    }
}
