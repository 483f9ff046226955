using System.Net.Security;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tls;

/// <summary>The secure side of a connection to an endpoint. It is an <see cref="SslStream"/>, which handlers of requests take for finished TLS.</summary>
/// <param name="connection">The connection below.</param>
/// <param name="served">What follows the requests on it; <see langword="null"/> when nobody counts them.</param>
internal sealed class TlsStream(Stream connection, ServedRequests? served) : SslStream(connection, leaveInnerStreamOpen: false)
{
    private ConnectionEnd? _end;
    private SecureConnections? _connections;

    /// <summary>What it rests on, once that is known.</summary>
    public TlsSession? Session { get; private set; }

    private bool ReadsPass => served is null && _end?.Reads != true;

    private bool WritesPass => served is null && _end?.Writes != true;

    /// <summary>It is one of those that are looked after until it closes.</summary>
    public void Join(SecureConnections connections, TlsSession session)
    {
        Session = session;
        _connections = connections;
        connections.Add(this);
    }

    /// <summary>Requests on it end after so long; before the first.</summary>
    public void EndAfter(TimeSpan age, bool isHttp2, TimeProvider time) => _end = new ConnectionEnd(served, isHttp2, age, time);

    /// <summary>Says who this end is, before the first request and apart from them.</summary>
    public ValueTask IntroduceAsync(ReadOnlyMemory<byte> introduction, CancellationToken cancellationToken) => base.WriteAsync(introduction, cancellationToken);

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            if (TryTake(buffer, out var count))
            {
                return count;
            }

            var read = base.Read(buffer);
            if ((count = Received(buffer, read)) > 0 || read == 0)
            {
                return count;
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => ReadsPass || buffer.IsEmpty ? base.ReadAsync(buffer, cancellationToken) : ReadFollowedAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Sending(buffer);
        base.Write(buffer);
        Sent();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => WritesPass ? base.WriteAsync(buffer, cancellationToken) : WriteFollowedAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask DisposeAsync()
    {
        Leave();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        Leave();
        base.Dispose(disposing);
    }

    private void Leave()
    {
        _end?.Dispose();
        Interlocked.Exchange(ref _connections, null)?.Remove(this);
    }

    private bool TryTake(Span<byte> buffer, out int count)
    {
        count = 0;
        _end?.Reading();
        return served?.TryTake(buffer, out count) == true || _end?.TryTake(buffer, out count) == true;
    }

    // The one that counts requests ends the connection too, where there is one.
    private int Received(Span<byte> buffer, int read)
    {
        var count = _end?.Received(buffer, read) ?? read;
        return served?.Received(buffer, count) ?? count;
    }

    private void Sending(ReadOnlySpan<byte> bytes)
    {
        served?.Sending(bytes);
        if (_end is { Writes: true } end)
        {
            end.Sending(bytes);
        }
    }

    private void Sent()
    {
        served?.Sent();
        _end?.Sent();
    }

    private async ValueTask<int> ReadFollowedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(buffer.Span, out var count))
            {
                return count;
            }

            var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if ((count = Received(buffer.Span, read)) > 0 || read == 0)
            {
                return count;
            }
        }
    }

    private async ValueTask WriteFollowedAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        Sending(buffer.Span);
        await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        Sent();
    }
}
