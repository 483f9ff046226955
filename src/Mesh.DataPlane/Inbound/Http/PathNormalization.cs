using System.Buffers;
using System.Globalization;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>
/// Brings the path of a request into one form before anybody matches it: slashes unescaped, then RFC 3986, then slashes merged. The steps and their
/// order are those of Envoy's connection manager; a path that is in that form already costs one look and no copy.
/// </summary>
internal static class PathNormalization
{
    // RFC 3986, section 2.3: what means the same whether it is escaped or not.
    private static readonly SearchValues<char> Unreserved = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private static readonly SearchValues<char> ToEscape = SearchValues.Create(" \"<>`{}^");

    // Whatever has none of these, nor two slashes or a dot after a slash, is normal.
    private static readonly SearchValues<char> Suspicious = SearchValues.Create("%\\ \"<>`{}^");

    /// <summary>Normalises the path of a target; the query stays as it is.</summary>
    public static PathVerdict Apply(ref string target, InboundHttpSettings settings)
    {
        var end = target.IndexOf('?');
        var path = end < 0 ? target.AsSpan() : target.AsSpan(0, end);
        if (!path.StartsWith('/'))
        {
            // OPTIONS * and CONNECT have none.
            return PathVerdict.Continue;
        }

        if (path.Contains('#'))
        {
            // No client sends a fragment; who does hopes that it is cut off here and not there.
            return PathVerdict.Reject;
        }

        if (!path.ContainsAny(Suspicious) && path.IndexOf("//", StringComparison.Ordinal) < 0 && path.IndexOf("/.", StringComparison.Ordinal) < 0)
        {
            return PathVerdict.Continue;
        }

        var buffer = ArrayPool<char>.Shared.Rent(path.Length * 3);
        try
        {
            path.CopyTo(buffer);
            var length = path.Length;
            var verdict = PathVerdict.Continue;
            if (settings.EscapedSlashes != EscapedSlashesAction.Keep && UnescapeSlashes(buffer, ref length))
            {
                if (settings.EscapedSlashes == EscapedSlashesAction.Reject)
                {
                    return PathVerdict.Reject;
                }

                verdict = settings.EscapedSlashes == EscapedSlashesAction.UnescapeAndRedirect ? PathVerdict.Redirect : PathVerdict.Continue;
            }

            if (settings.NormalizesPath)
            {
                if (!Unescape(buffer, ref length))
                {
                    return PathVerdict.Reject;
                }

                RemoveDotSegments(buffer, ref length);
            }

            if (settings.MergesSlashes)
            {
                MergeSlashes(buffer, ref length);
            }

            if (!path.SequenceEqual(buffer.AsSpan(0, length)))
            {
                target = end < 0 ? new string(buffer, 0, length) : string.Concat(buffer.AsSpan(0, length), target.AsSpan(end));
            }

            return verdict;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    /// <summary>The path without the segments <c>.</c> and <c>..</c>, which servers fold whether anybody has normalised before them or not.</summary>
    public static string WithoutDotSegments(string path)
    {
        if (!path.Contains("/.", StringComparison.Ordinal))
        {
            return path;
        }

        var buffer = path.ToCharArray();
        var length = buffer.Length;
        RemoveDotSegments(buffer, ref length);
        return length == path.Length ? path : new string(buffer, 0, length);
    }

    private static bool UnescapeSlashes(char[] buffer, ref int length)
    {
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            if (TryEscape(buffer.AsSpan(i, length - i), out var value) && value is '/' or '\\')
            {
                buffer[written++] = value;
                i += 2;
            }
            else
            {
                buffer[written++] = buffer[i];
            }
        }

        var found = written != length;
        length = written;
        return found;
    }

    // A backslash is a slash to enough servers; a NUL ends the path for some.
    private static bool Unescape(char[] buffer, ref int length)
    {
        var source = buffer.AsSpan(0, length).ToArray();
        var written = 0;
        for (var i = 0; i < source.Length; i++)
        {
            var c = source[i];
            if (c == '%' && TryEscape(source.AsSpan(i), out var value))
            {
                if (value == '\0')
                {
                    return false;
                }

                if (Unreserved.Contains(value))
                {
                    buffer[written++] = value;
                }
                else
                {
                    source.AsSpan(i, 3).CopyTo(buffer.AsSpan(written));
                    written += 3;
                }

                i += 2;
            }
            else if (c == '\\')
            {
                buffer[written++] = '/';
            }
            else if (ToEscape.Contains(c))
            {
                buffer[written++] = '%';
                ((int)c).TryFormat(buffer.AsSpan(written), out _, "X2", CultureInfo.InvariantCulture);
                written += 2;
            }
            else
            {
                buffer[written++] = c;
            }
        }

        length = written;
        return true;
    }

    private static void RemoveDotSegments(char[] buffer, ref int length)
    {
        var written = 0;
        for (var read = 0; read < length;)
        {
            // At the beginning of a segment, its slash included.
            var next = buffer.AsSpan(read + 1, length - read - 1).IndexOf('/');
            var end = next < 0 ? length : read + 1 + next;
            var segment = buffer.AsSpan(read, end - read);
            if (segment is "/." or "/..")
            {
                if (segment.Length == 3)
                {
                    written = Math.Max(0, buffer.AsSpan(0, written).LastIndexOf('/'));
                }

                if (end == length)
                {
                    buffer[written++] = '/';
                }
            }
            else
            {
                segment.CopyTo(buffer.AsSpan(written));
                written += segment.Length;
            }

            read = end;
        }

        length = written;
    }

    private static void MergeSlashes(char[] buffer, ref int length)
    {
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] != '/' || written == 0 || buffer[written - 1] != '/')
            {
                buffer[written++] = buffer[i];
            }
        }

        length = written;
    }

    private static bool TryEscape(ReadOnlySpan<char> text, out char value)
    {
        if (text.Length >= 3 && text[0] == '%' && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2]))
        {
            value = (char)int.Parse(text[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            return true;
        }

        value = default;
        return false;
    }
}
