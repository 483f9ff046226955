using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Expressions;

/// <summary>Cuts an expression of the Common Expression Language into its pieces.</summary>
internal static class CelLexer
{
    private static readonly string[] Operators = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ".", ",", "+", "-", "*", "/", "%", "?", ":"];

    public static List<CelToken> Read(string text)
    {
        var tokens = new List<CelToken>();
        var i = 0;
        while (i < text.Length)
        {
            var c = text[i];
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                while (i < text.Length && text[i] != '\n')
                {
                    i++;
                }
            }
            else if (c is '"' or '\'' || (c is 'r' or 'R' && i + 1 < text.Length && text[i + 1] is '"' or '\''))
            {
                tokens.Add(Quoted(text, ref i));
            }
            else if (char.IsAsciiDigit(c))
            {
                tokens.Add(Number(text, ref i));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                var start = i;
                while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_'))
                {
                    i++;
                }

                tokens.Add(new CelToken(CelTokenKind.Name, start, text[start..i]));
            }
            else if (Array.Find(Operators, o => string.CompareOrdinal(text, i, o, 0, o.Length) == 0) is { } found)
            {
                tokens.Add(new CelToken(CelTokenKind.Operator, i, found));
                i += found.Length;
            }
            else
            {
                throw new CelSyntaxException(text, i, $"'{(char.IsControl(c) ? '?' : c)}' is no part of an expression");
            }
        }

        tokens.Add(new CelToken(CelTokenKind.End, text.Length, ""));
        return tokens;
    }

    private static CelToken Number(string text, ref int i)
    {
        var start = i;
        if (text[i] == '0' && i + 2 < text.Length && text[i + 1] is 'x' or 'X' && char.IsAsciiHexDigit(text[i + 2]))
        {
            for (i += 2; i < text.Length && char.IsAsciiHexDigit(text[i]); i++)
            {
            }

            return Unsigned(text, ref i, start, long.TryParse(text.AsSpan((start + 2)..i), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) && hex >= 0 ? hex : null);
        }

        Digits(text, ref i);
        var isFraction = false;
        if (i + 1 < text.Length && text[i] == '.' && char.IsAsciiDigit(text[i + 1]))
        {
            isFraction = true;
            i++;
            Digits(text, ref i);
        }

        if (i < text.Length && text[i] is 'e' or 'E')
        {
            var exponent = i + 1;
            exponent += exponent < text.Length && text[exponent] is '+' or '-' ? 1 : 0;
            if (exponent < text.Length && char.IsAsciiDigit(text[exponent]))
            {
                (isFraction, i) = (true, exponent);
                Digits(text, ref i);
            }
        }

        return isFraction
            ? new CelToken(CelTokenKind.Double, start, text[start..i], Fraction: double.Parse(text.AsSpan(start..i), CultureInfo.InvariantCulture))
            : Unsigned(text, ref i, start, long.TryParse(text.AsSpan(start..i), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null);
    }

    // "1u" is of its own kind in the language and compares to others; one kind is enough here.
    private static CelToken Unsigned(string text, ref int i, int start, long? number)
    {
        var end = i;
        i += i < text.Length && text[i] is 'u' or 'U' ? 1 : 0;
        return new CelToken(CelTokenKind.Int, start, text[start..end], number ?? throw new CelSyntaxException(text, start, "the number is too large"));
    }

    private static void Digits(string text, ref int i)
    {
        while (i < text.Length && char.IsAsciiDigit(text[i]))
        {
            i++;
        }
    }

    private static CelToken Quoted(string text, ref int i)
    {
        var start = i;
        var isRaw = text[i] is 'r' or 'R';
        i += isRaw ? 1 : 0;
        var quote = text[i];
        if (i + 2 < text.Length && text[i + 1] == quote && text[i + 2] == quote)
        {
            throw new CelSyntaxException(text, start, "texts in three quotes are not supported");
        }

        var value = new StringBuilder();
        for (i++; i < text.Length; i++)
        {
            var c = text[i];
            if (c == quote)
            {
                i++;
                return new CelToken(CelTokenKind.String, start, value.ToString());
            }

            if (c is '\n' or '\r')
            {
                break;
            }

            value.Append(c == '\\' && !isRaw ? Escaped(text, ref i) : c);
        }

        throw new CelSyntaxException(text, start, "the text does not end");
    }

    // At the backslash; leaves at the last character of the sequence.
    private static string Escaped(string text, ref int i)
    {
        var start = i++;
        switch (i < text.Length ? text[i] : '\0')
        {
            case '\\' or '"' or '\'' or '`' or '?':
                return text[i].ToString();
            case 'n':
                return "\n";
            case 'r':
                return "\r";
            case 't':
                return "\t";
            case 'a':
                return "\a";
            case 'b':
                return "\b";
            case 'f':
                return "\f";
            case 'v':
                return "\v";
            case 'x' or 'X':
                return CodePoint(text, ref i, start, 2);
            case 'u':
                return CodePoint(text, ref i, start, 4);
            case 'U':
                return CodePoint(text, ref i, start, 8);
            default:
                throw new CelSyntaxException(text, start, "there is no such escape sequence");
        }
    }

    private static string CodePoint(string text, ref int i, int start, int digits)
    {
        if (i + digits < text.Length
            && int.TryParse(text.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            && Rune.IsValid(number))
        {
            i += digits;
            return new Rune(number).ToString();
        }

        throw new CelSyntaxException(text, start, "the escape sequence names no character");
    }
}
