using System.Text;

namespace Mesh.EndToEnd.Tests.Dashboards.PromQl;

/// <summary>What an expression is made of: names, numbers and durations, texts, signs.</summary>
internal static class PromQlLexer
{
    private static readonly string[] Signs = ["==", "!=", "=~", "!~", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[", "]", ",", "@", ":"];

    public static List<PromQlToken> Read(string text)
    {
        var tokens = new List<PromQlToken>();
        for (var at = 0; at < text.Length;)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c is '"' or '\'' or '`')
            {
                tokens.Add(new PromQlToken(PromQlTokenKind.Text, Quoted(text, ref at), at));
            }
            else if (char.IsAsciiLetter(c) || c is '_')
            {
                tokens.Add(new PromQlToken(PromQlTokenKind.Name, While(text, ref at, char.IsAsciiLetterOrDigit, "_:"), at));
            }
            else if (char.IsAsciiDigit(c) || c is '.')
            {
                tokens.Add(new PromQlToken(PromQlTokenKind.Number, While(text, ref at, char.IsAsciiLetterOrDigit, "."), at));
            }
            else
            {
                var sign = Signs.FirstOrDefault(sign => string.CompareOrdinal(text, at, sign, 0, sign.Length) == 0)
                    ?? throw new FormatException($"'{c}' at {at} of: {text}");
                at += sign.Length;
                tokens.Add(new PromQlToken(PromQlTokenKind.Sign, sign, at));
            }
        }

        tokens.Add(new PromQlToken(PromQlTokenKind.End, "", text.Length));
        return tokens;
    }

    private static string While(string text, ref int at, Func<char, bool> isPart, string alsoParts)
    {
        var start = at;
        while (at < text.Length && (isPart(text[at]) || alsoParts.Contains(text[at], StringComparison.Ordinal)))
        {
            at++;
        }

        return text[start..at];
    }

    private static string Quoted(string text, ref int at)
    {
        var quote = text[at++];
        var value = new StringBuilder();
        for (; at < text.Length && text[at] != quote; at++)
        {
            if (text[at] == '\\' && quote != '`' && ++at == text.Length)
            {
                break;
            }

            value.Append(text[at]);
        }

        return at++ < text.Length ? value.ToString() : throw new FormatException($"a text does not end: {text}");
    }
}
