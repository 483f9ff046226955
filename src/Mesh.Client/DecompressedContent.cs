using System.IO.Compression;
using System.Net;

namespace Mesh.Client;

/// <summary>A body that is decompressed while it is read, as <see cref="SocketsHttpHandler.AutomaticDecompression"/> does it.</summary>
internal sealed class DecompressedContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly Func<Stream, Stream> _decompress;

    private DecompressedContent(HttpContent inner, string encoding, Func<Stream, Stream> decompress)
    {
        _inner = inner;
        _decompress = decompress;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }

        // What is left says nothing about the bytes that will be read.
        Headers.ContentLength = null;
        var encodings = inner.Headers.ContentEncoding.ToList();
        encodings.RemoveAt(encodings.FindLastIndex(e => e.Equals(encoding, StringComparison.OrdinalIgnoreCase)));
        Headers.ContentEncoding.Clear();
        foreach (var other in encodings)
        {
            Headers.ContentEncoding.Add(other);
        }
    }

    public static string AcceptEncoding(DecompressionMethods methods)
        => string.Join(", ", new[] { (DecompressionMethods.GZip, "gzip"), (DecompressionMethods.Deflate, "deflate"), (DecompressionMethods.Brotli, "br") }
            .Where(m => methods.HasFlag(m.Item1))
            .Select(m => m.Item2));

    public static void Decompress(HttpResponseMessage response, DecompressionMethods methods)
    {
        if (methods == DecompressionMethods.None || response.Content.Headers.ContentEncoding.LastOrDefault() is not { } encoding)
        {
            return;
        }

        Func<Stream, Stream>? decompress = encoding.ToLowerInvariant() switch
        {
            "gzip" when methods.HasFlag(DecompressionMethods.GZip) => s => new GZipStream(s, CompressionMode.Decompress),
            "deflate" when methods.HasFlag(DecompressionMethods.Deflate) => s => new ZLibStream(s, CompressionMode.Decompress),
            "br" when methods.HasFlag(DecompressionMethods.Brotli) => s => new BrotliStream(s, CompressionMode.Decompress),
            _ => null,
        };
        if (decompress is not null)
        {
            response.Content = new DecompressedContent(response.Content, encoding, decompress);
        }
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var body = await CreateContentReadStreamAsync(cancellationToken).ConfigureAwait(false);
        await body.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
        => Decompress(await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var body = CreateContentReadStream(cancellationToken);
        body.CopyTo(stream);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => Decompress(_inner.ReadAsStream(cancellationToken));

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private DecompressedStream Decompress(Stream body) => new(_decompress(body), body);
}
