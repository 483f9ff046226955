using System.Net;

namespace Mesh.DataPlane.Filters;

/// <summary>A body that somebody has read the beginning of: it is sent from there, and then from where it came.</summary>
internal sealed class PeekedContent : HttpContent
{
    private readonly Stream _rest;
    private readonly long? _length;

    private PeekedContent(HttpContent content, ReadOnlyMemory<byte> beginning, bool isWhole, Stream rest)
    {
        (Beginning, IsWhole, _rest, _length) = (beginning, isWhole, rest, content.Headers.ContentLength);
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    public ReadOnlyMemory<byte> Beginning { get; }

    /// <summary>Nothing comes after it.</summary>
    public bool IsWhole { get; }

    public static async ValueTask<PeekedContent> OfAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);

        // One byte more, to know whether there is more.
        var buffer = new byte[Math.Min(maxBytes, 64 * 1024) + 1];
        var read = 0;
        while (true)
        {
            if (read == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, maxBytes + 1L));
            }

            var some = await stream.ReadAsync(buffer.AsMemory(read), cancellationToken).ConfigureAwait(false);
            read += some;
            if (some == 0 || read > maxBytes)
            {
                break;
            }
        }

        return read > maxBytes
            ? new PeekedContent(content, buffer.AsMemory(0, maxBytes), isWhole: false, stream) { Over = buffer.AsMemory(maxBytes, read - maxBytes) }
            : new PeekedContent(content, buffer.AsMemory(0, read), isWhole: true, stream);
    }

    // What was read beyond the beginning.
    private ReadOnlyMemory<byte> Over { get; init; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Beginning, cancellationToken).ConfigureAwait(false);
        if (!IsWhole)
        {
            await stream.WriteAsync(Over, cancellationToken).ConfigureAwait(false);
            await _rest.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = IsWhole ? Beginning.Length : _length ?? 0;
        return IsWhole || _length is not null;
    }
}
