using System.Net.Security;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tls;

/// <summary>The secure side of a connection to an endpoint. It is an <see cref="SslStream"/>, which handlers of requests take for finished TLS.</summary>
/// <param name="connection">The connection below.</param>
/// <param name="served">What follows the requests on it; <see langword="null"/> when nobody counts them.</param>
internal sealed class TlsStream(Stream connection, ServedRequests? served) : SslStream(connection, leaveInnerStreamOpen: false)
{
    public override int Read(Span<byte> buffer)
    {
        var read = base.Read(buffer);
        served?.Received(buffer[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => served is null || buffer.IsEmpty ? base.ReadAsync(buffer, cancellationToken) : ReadServedAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        served?.Sending(buffer);
        base.Write(buffer);
        served?.Sent();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => served is null ? base.WriteAsync(buffer, cancellationToken) : WriteServedAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private async ValueTask<int> ReadServedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        served!.Received(buffer.Span[..read]);
        return read;
    }

    private async ValueTask WriteServedAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        served!.Sending(buffer.Span);
        await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        served.Sent();
    }
}
