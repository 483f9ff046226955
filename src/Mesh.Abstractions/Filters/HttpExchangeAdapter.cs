using System.Diagnostics.CodeAnalysis;

namespace Mesh.Filters;

/// <summary>Which message of an exchange.</summary>
internal enum HeaderSide
{
    Request,
    Response,
}

/// <summary>Where a door keeps what an <see cref="HttpExchange"/> shows: one implementation for each door.</summary>
internal abstract class HttpExchangeAdapter
{
    private const int MaxKept = 64 * 1024 * 1024;

    public abstract string Method { get; set; }

    public abstract string Path { get; set; }

    public abstract string Authority { get; set; }

    public abstract string Scheme { get; }

    /// <summary>0 while there is no response.</summary>
    public abstract int StatusCode { get; set; }

    public abstract bool IsLocalReply { get; }

    public abstract string? RouteName { get; }

    public abstract string? ClusterName { get; }

    public abstract bool TryGetHeader(HeaderSide side, string name, [NotNullWhen(true)] out string? value);

    public abstract void AddHeader(HeaderSide side, string name, string value);

    public abstract bool RemoveHeader(HeaderSide side, string name);

    public abstract void CopyHeaders(HeaderSide side, ICollection<KeyValuePair<string, string>> headers);

    public abstract void AddFlag(string flag);

    /// <returns><see langword="null"/> when the body is longer.</returns>
    public abstract ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HeaderSide side, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Keeps the whole body in memory; what follows sends or reads it from there.</summary>
    /// <returns><see langword="false"/> when the body is longer.</returns>
    public abstract ValueTask<bool> LoadAsync(HeaderSide side, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Reads the beginning of the request's body, all of which can be sent nevertheless.</summary>
    /// <param name="maxBytes">The most that is read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What was read, and whether that is all.</returns>
    /// <exception cref="InvalidOperationException">This door has to keep all of a body whose beginning is wanted, and it is longer than what may be kept.</exception>
    public virtual async ValueTask<(ReadOnlyMemory<byte> Bytes, bool IsWhole)> PeekRequestAsync(int maxBytes, CancellationToken cancellationToken)
        => await BufferAsync(HeaderSide.Request, MaxKept, cancellationToken).ConfigureAwait(false) is { } whole
            ? (whole[..Math.Min(whole.Length, maxBytes)], whole.Length <= maxBytes)
            : throw new InvalidOperationException($"The body is longer than {MaxKept} bytes, and its beginning cannot be had without the rest.");

    /// <summary>Lets the response's body run through another stream on its way to the caller.</summary>
    /// <param name="transform">Wraps the body.</param>
    /// <param name="ended">Called once when the body has ended or been disposed of.</param>
    public abstract void TransformResponseBody(Func<Stream, Stream> transform, Action ended);
}
