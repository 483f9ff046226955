using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Lines to a stream of the process: its standard output, or its standard error.</summary>
internal sealed class StreamOutput(string name, Func<Stream> open, LogQueueSettings settings, AccessLogCounts counts, TimeProvider time, ILogger logger)
    : LineOutput(name, settings, counts, time, logger)
{
    private Stream? _stream;

    protected override async ValueTask WriteAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<int> ends, CancellationToken cancellationToken)
    {
        _stream ??= open();
        await _stream.WriteAsync(text, cancellationToken).ConfigureAwait(false);
        await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
