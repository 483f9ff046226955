using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>A cursor over a pattern: code points, escapes of one character, and Unicode classes, which mean the same inside and outside of brackets.</summary>
internal sealed class PatternReader(string pattern)
{
    public string Pattern { get; } = pattern;

    public int Position { get; set; }

    public bool AtEnd => Position >= Pattern.Length;

    public char Current => Pattern[Position];

    public ReadOnlySpan<char> Rest => Pattern.AsSpan(Position);

    public bool StartsWith(string text) => Rest.StartsWith(text, StringComparison.Ordinal);

    public bool TryTake(char expected)
    {
        if (AtEnd || Current != expected)
        {
            return false;
        }

        Position++;
        return true;
    }

    public int TakeCodePoint()
    {
        if (Rune.DecodeFromUtf16(Rest, out var rune, out var consumed) != System.Buffers.OperationStatus.Done)
        {
            Fail(Position, "invalid UTF-16: a surrogate without its partner");
        }

        Position += consumed;
        return rune.Value;
    }

    /// <summary>Reads <c>\n</c>, <c>\x7F</c>, <c>\x{10FFFF}</c>, <c>\123</c>, <c>\.</c> and the like; the cursor is on the backslash.</summary>
    public int TakeEscape()
    {
        var start = Position;
        Position++;
        if (AtEnd)
        {
            Fail(start, "trailing \\ at end of expression");
        }

        var letter = TakeCodePoint();
        switch (letter)
        {
            case 'a':
                return '\a';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'v':
                return '\v';
            case 'x':
                return TakeHexadecimal(start);
            case '0':
            case >= '1' and <= '7' when !AtEnd && Current is >= '0' and <= '7':
                return TakeOctal(letter - '0');
            case < 0x80 when !char.IsAsciiLetterOrDigit((char)letter):
                return letter;
        }

        if (letter is >= '1' and <= '9')
        {
            Fail(start, $"invalid escape sequence: {Pattern[start..Position]} (RE2 has no backreferences)");
        }

        Fail(start, $"invalid escape sequence: {Pattern[start..Position]}");
        return 0;
    }

    /// <summary>Reads <c>\pL</c>, <c>\p{Lu}</c>, <c>\P{…}</c>, <c>\p{^…}</c>; the cursor is on the backslash.</summary>
    public CodePointSet TakeUnicodeClass(out bool negated)
    {
        var start = Position;
        negated = Pattern[Position + 1] == 'P';
        Position += 2;
        if (AtEnd)
        {
            Fail(start, @"invalid character class range: \p without a name");
        }

        string name;
        if (TryTake('{'))
        {
            var end = Pattern.IndexOf('}', Position);
            if (end < 0)
            {
                Fail(start, @"invalid character class range: \p{ without }");
            }

            name = Pattern[Position..end];
            Position = end + 1;
        }
        else
        {
            var from = Position;
            TakeCodePoint();
            name = Pattern[from..Position];
        }

        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }

        if (UnicodeCategories.Find(name) is { } set)
        {
            return set;
        }

        Fail(start, name.Length > 2
            ? $"Unicode class '{name}' is not supported: general categories (L, Lu, Nd) are, scripts are not; write ranges, [\\x{{370}}-\\x{{3FF}}]"
            : $"invalid character class range: {Pattern[start..Position]}");
        return CodePointSet.Empty;
    }

    /// <summary>Whether RE2 takes <paramref name="name"/> as the name of a group.</summary>
    public static bool IsGroupName(ReadOnlySpan<char> name)
    {
        foreach (var rune in name.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation))
            {
                return false;
            }
        }

        return !name.IsEmpty;
    }

    [DoesNotReturn]
    public void Fail(int position, string reason) => throw new Re2SyntaxException(Pattern, position, reason);

    private int TakeOctal(int value)
    {
        for (var digits = 1; digits < 3 && !AtEnd && Current is >= '0' and <= '7'; digits++)
        {
            value = (value * 8) + Current - '0';
            Position++;
        }

        return value;
    }

    private int TakeHexadecimal(int start)
    {
        if (!TryTake('{'))
        {
            if (Rest.Length < 2 || !char.IsAsciiHexDigit(Rest[0]) || !char.IsAsciiHexDigit(Rest[1]))
            {
                Fail(start, @"invalid escape sequence: \x needs two hexadecimal digits, or any number in braces");
            }

            Position += 2;
            return int.Parse(Pattern.AsSpan(Position - 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }

        var value = 0;
        var digits = 0;
        for (; !AtEnd && char.IsAsciiHexDigit(Current); Position++, digits++)
        {
            value = (value * 16) + int.Parse(Pattern.AsSpan(Position, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (value > CodePointSet.MaxCodePoint)
            {
                Fail(start, @"invalid escape sequence: \x{…} is above 10FFFF");
            }
        }

        if (digits == 0 || !TryTake('}'))
        {
            Fail(start, @"invalid escape sequence: \x{ needs hexadecimal digits and a closing brace");
        }

        return value;
    }
}
