using System.Security.Cryptography;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// What some <see cref="SecretData"/> come to. They are read for every handshake, which costs far more, so that a changed file counts from the next
/// connection on, however it was changed; what cannot be read any more (half-written, or gone) leaves the last good one in use.
/// </summary>
internal sealed class Reloaded<T>(IReadOnlyList<SecretData> sources, Func<IReadOnlyList<byte[]>, T> parse)
    where T : class
{
    private readonly Lock _sync = new();
    private readonly bool _isFixed = sources.All(s => s.IsInline);
    private byte[][]? _read;
    private T? _value;

    /// <exception cref="TlsFailureException">It has never been readable.</exception>
    public T Get()
    {
        if (_isFixed && Volatile.Read(ref _value) is { } value)
        {
            return value;
        }

        lock (_sync)
        {
            try
            {
                byte[][] read = [.. sources.Select(s => s.Read())];
                if (_value is null || !read.Zip(_read!).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                {
                    _value = parse(read);
                    _read = read;
                }
            }
            catch (Exception e) when (e is IOException or CryptographicException or ArgumentException or FormatException)
            {
                return _value ?? throw new TlsFailureException(
                    $"cannot use {string.Join(" and ", sources)}", $"{string.Join(" and ", sources)} cannot be used: {e.Message}", e);
            }

            return _value;
        }
    }
}
