using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>Reads Envoy's command syntax: <c>%NAME(argument):length%</c>, and <c>%%</c> for a percent sign.</summary>
internal static class SubstitutionFormatParser
{
    public const int MaxFormatLength = 16 * 1024;

    public static List<FormatOperator> Parse(string format, out IReadOnlyList<string> neverKnown)
    {
        if (format.Length > MaxFormatLength)
        {
            throw new SubstitutionFormatException(format[..64] + "…", MaxFormatLength, $"longer than {MaxFormatLength} characters");
        }

        var operators = new List<FormatOperator>();
        var missing = new List<string>();
        var literal = new StringBuilder();
        var position = 0;
        while (position < format.Length)
        {
            if (format[position] != '%')
            {
                literal.Append(format[position++]);
                continue;
            }

            if (position + 1 < format.Length && format[position + 1] == '%')
            {
                literal.Append('%');
                position += 2;
                continue;
            }

            if (literal.Length > 0)
            {
                operators.Add(FormatOperator.Text(literal.ToString()));
                literal.Clear();
            }

            operators.Add(Command(format, ref position, missing));
        }

        if (literal.Length > 0)
        {
            operators.Add(FormatOperator.Text(literal.ToString()));
        }

        neverKnown = missing;
        return operators;
    }

    private static FormatOperator Command(string format, ref int position, List<string> missing)
    {
        // 1. The name.
        var start = position;
        var end = start + 1;
        while (end < format.Length && (char.IsAsciiLetterUpper(format[end]) || char.IsAsciiDigit(format[end]) || format[end] == '_'))
        {
            end++;
        }

        var name = format[(start + 1)..end];
        string? argument = null;
        int? length = null;

        // 2. Argument, length and the closing sign. An argument ends at the first parenthesis after which the rest is in order, as Envoy's expression has it.
        var closed = false;
        if (name.Length > 0 && end < format.Length && format[end] == '(')
        {
            var open = end;
            for (var close = format.IndexOf(')', open); close >= 0 && !closed; close = format.IndexOf(')', close + 1))
            {
                if (TryClose(format, close + 1, out length, out var after))
                {
                    (argument, end, closed) = (format[(open + 1)..close], after, true);
                }
            }
        }
        else if (name.Length > 0 && TryClose(format, end, out length, out var after))
        {
            (end, closed) = (after, true);
        }

        if (!closed || argument?.Contains('\n') == true)
        {
            throw new SubstitutionFormatException(format, start, "no valid command begins here; it is written %NAME(argument):length%, and a percent sign %%");
        }

        // 3. What it means.
        if (!FormatCommands.All.TryGetValue(name, out var command))
        {
            throw new SubstitutionFormatException(
                format,
                start,
                FormatCommands.Refused.TryGetValue(name, out var why) ? $"%{name}% is refused: {why}" : $"the command '{name}' does not exist");
        }

        if (argument is null ? command.Argument == FormatArgument.Required : command.Argument == FormatArgument.None)
        {
            throw new SubstitutionFormatException(format, start, $"%{name}% {(argument is null ? "needs an" : "takes no")} argument in parentheses");
        }

        if (length is not null && !command.LengthAllowed)
        {
            throw new SubstitutionFormatException(format, start, $"%{name}% takes no length");
        }

        if (command.IsNeverKnown || command.IsOfConnection)
        {
            missing.Add(name);
        }

        position = end;
        try
        {
            return new FormatOperator(command.Create(argument ?? ""), length, command.IsNumber);
        }
        catch (FormatException e)
        {
            throw new SubstitutionFormatException(format, start, $"%{name}%: {e.Message}");
        }
    }

    // An optional ":digits", then "%".
    private static bool TryClose(string format, int at, out int? length, out int after)
    {
        length = null;
        if (at < format.Length && format[at] == ':')
        {
            var digits = at + 1;
            at = digits;
            while (at < format.Length && char.IsAsciiDigit(format[at]))
            {
                at++;
            }

            if (at == digits || !int.TryParse(format.AsSpan(digits..at), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                after = at;
                return false;
            }

            length = number;
        }

        after = at + 1;
        return at < format.Length && format[at] == '%';
    }
}
