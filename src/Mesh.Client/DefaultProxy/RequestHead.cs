namespace Mesh.Client.DefaultProxy;

/// <summary>The request line and the header fields of an HTTP/1.1 message, as they were sent.</summary>
internal sealed class RequestHead
{
    public required string Method { get; init; }

    public required string Target { get; init; }

    /// <summary>HTTP/1.0 else.</summary>
    public required bool IsHttp11 { get; init; }

    public required List<KeyValuePair<string, string>> Fields { get; init; }

    /// <summary><c>Content-Length</c>; <see langword="null"/> when there is none.</summary>
    public long? ContentLength { get; init; }

    public bool IsChunked { get; init; }

    public bool HasBody => IsChunked || ContentLength > 0;

    /// <summary>The field's only value; <see langword="null"/> when it is absent.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (field, value) in Fields)
            {
                if (field.Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return value;
                }
            }

            return null;
        }
    }

    /// <summary>Whether a field that lists words has this one.</summary>
    public bool Lists(string name, string word)
    {
        foreach (var (field, value) in Fields)
        {
            if (field.Equals(name, StringComparison.OrdinalIgnoreCase) && HasWord(value, word))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasWord(string list, string word)
    {
        foreach (var range in list.AsSpan().Split(','))
        {
            if (list.AsSpan(range).Trim(" \t").Equals(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
