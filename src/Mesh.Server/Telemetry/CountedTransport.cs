using System.Buffers;
using System.IO.Pipelines;
using Mesh.DataPlane.Telemetry;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Server.Telemetry;

/// <summary>The bytes of a connection that the application gets as it is, counted as it reads and writes them.</summary>
internal sealed class CountedTransport : IDuplexPipe
{
    private CountedTransport(IDuplexPipe inner, ConnectionRecord record) => (Input, Output) = (new CountedReader(inner.Input, record), new CountedWriter(inner.Output, record));

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Counts a connection from now on, until it is closed.</summary>
    public static void Measure(ConnectionContext connection, ConnectionRecord record)
    {
        record.Begin();
        connection.Transport = new CountedTransport(connection.Transport, record);
        connection.ConnectionClosed.UnsafeRegister(static record => ((ConnectionRecord)record!).End(), record);
    }

    private sealed class CountedReader(PipeReader inner, ConnectionRecord record) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;

        // What the application has seen and left for the next time.
        private long _left;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
            => Look(await inner.ReadAsync(cancellationToken).ConfigureAwait(false));

        public override bool TryRead(out ReadResult result)
        {
            if (!inner.TryRead(out result))
            {
                return false;
            }

            Look(result);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _left = _buffer.IsEmpty ? 0 : _buffer.Slice(consumed).Length;
            _buffer = default;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        private ReadResult Look(ReadResult result)
        {
            _buffer = result.Buffer;
            var length = _buffer.Length;
            if (length > _left)
            {
                record.Received(length - _left);
                _left = length;
            }

            return result;
        }
    }

    private sealed class CountedWriter(PipeWriter inner, ConnectionRecord record) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            record.Sent(bytes);
            inner.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            record.Sent(source.Length);
            return inner.WriteAsync(source, cancellationToken);
        }
    }
}
