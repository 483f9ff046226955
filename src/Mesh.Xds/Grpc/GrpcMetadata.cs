using System.Collections;

namespace Mesh.Xds.Grpc;

/// <summary>Custom headers or trailers of a call: names in lower case; binary values under names that end in <c>-bin</c>.</summary>
internal sealed class GrpcMetadata : IReadOnlyCollection<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _entries = [];

    public int Count => _entries.Count;

    /// <summary>Adds a text value.</summary>
    /// <exception cref="ArgumentException">The name is reserved or malformed, or the value is not printable ASCII.</exception>
    public void Add(string name, string value)
    {
        name = CheckedName(name);
        if (name.EndsWith("-bin", StringComparison.Ordinal))
        {
            throw new ArgumentException($"metadata '{name}' is binary: a name that ends in -bin takes bytes", nameof(name));
        }

        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException($"metadata '{name}': the value is not printable ASCII; use a name that ends in -bin and bytes", nameof(value));
        }

        _entries.Add(new(name, value));
    }

    /// <summary>Adds a binary value; it travels as base64.</summary>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        name = CheckedName(name);
        if (!name.EndsWith("-bin", StringComparison.Ordinal))
        {
            throw new ArgumentException($"metadata '{name}' is text: only a name that ends in -bin takes bytes", nameof(name));
        }

        _entries.Add(new(name, Convert.ToBase64String(value)));
    }

    /// <summary>Takes over what arrived, unchecked.</summary>
    internal void AddReceived(string name, string value) => _entries.Add(new(name.ToLowerInvariant(), value));

    /// <summary>The first text value of that name.</summary>
    public string? Get(string name)
    {
        foreach (var entry in _entries)
        {
            if (string.Equals(entry.Key, name, StringComparison.OrdinalIgnoreCase))
            {
                return entry.Value;
            }
        }

        return null;
    }

    /// <summary>The first binary value of that name; peers may leave out the padding.</summary>
    public byte[]? GetBinary(string name)
    {
        var text = Get(name);
        if (text is null)
        {
            return null;
        }

        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out var written) ? bytes[..written] : null;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static string CheckedName(string name)
    {
        name = name.ToLowerInvariant();
        if (name.Length == 0 || name.StartsWith("grpc-", StringComparison.Ordinal) || name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789_-."))
        {
            throw new ArgumentException($"'{name}' cannot name metadata: letters, digits, '_', '-' and '.' only, and no prefix grpc-", nameof(name));
        }

        return name;
    }
}
