using System.Text;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy ignores the case of ASCII letters only; other characters compare as they are.</summary>
internal static class AsciiCase
{
    public static bool Equals(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        // The vectorised comparison stops being true at the first non-ASCII character, even when both sides are the same.
        return Ascii.EqualsIgnoreCase(left, right) || EqualsSlow(left, right);
    }

    public static bool Contains(ReadOnlySpan<char> value, ReadOnlySpan<char> text)
    {
        for (var start = 0; start + text.Length <= value.Length; start++)
        {
            if (Equals(value.Slice(start, text.Length), text))
            {
                return true;
            }
        }

        return false;
    }

    public static char Lower(char c) => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c;

    private static bool EqualsSlow(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        for (var i = 0; i < left.Length; i++)
        {
            if (Lower(left[i]) != Lower(right[i]))
            {
                return false;
            }
        }

        return true;
    }
}
