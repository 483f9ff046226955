using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>Reads Envoy's command syntax: <c>%NAME(argument):length%</c>, and <c>%%</c> for a percent sign.</summary>
internal static class SubstitutionFormatParser
{
    public const int MaxFormatLength = 16 * 1024;

    public static List<FormatOperator> Parse(string format, out IReadOnlyList<string> notAlwaysKnown, out IReadOnlyList<string> requestHeaders)
    {
        if (format.Length > MaxFormatLength)
        {
            throw new SubstitutionFormatException(format[..64] + "…", MaxFormatLength, $"longer than {MaxFormatLength} characters");
        }

        var operators = new List<FormatOperator>();
        var missing = new List<string>();
        var headers = new List<string>();
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

            operators.Add(Command(format, ref position, missing, headers));
        }

        if (literal.Length > 0)
        {
            operators.Add(FormatOperator.Text(literal.ToString()));
        }

        notAlwaysKnown = missing;
        requestHeaders = headers;
        return operators;
    }

    private static FormatOperator Command(string format, ref int position, List<string> missing, List<string> headers)
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
        try
        {
            var made = Make(name, argument, length, missing, headers);
            position = end;
            return made;
        }
        catch (FormatException e)
        {
            throw new SubstitutionFormatException(format, start, e.Message);
        }
    }

    /// <summary>The operator of one command.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="argument">What stands in the parentheses; <see langword="null"/> without any.</param>
    /// <param name="length">Where it is cut off.</param>
    /// <param name="missing">Takes the name of what does not have a value everywhere.</param>
    /// <param name="headers">Takes the names of the headers that are read.</param>
    /// <exception cref="FormatException">There is no such command, or it is used wrongly.</exception>
    public static FormatOperator Make(string name, string? argument, int? length, List<string> missing, List<string> headers)
    {
        if (!FormatCommands.All.TryGetValue(name, out var command))
        {
            throw new FormatException(RefusedCommands.Reasons.TryGetValue(name, out var why) ? $"%{name}% is refused: {why}" : $"the command '{name}' does not exist");
        }

        if (argument is null ? command.Argument == FormatArgument.Required : command.Argument == FormatArgument.None)
        {
            throw new FormatException($"%{name}% {(argument is null ? "needs an" : "takes no")} argument in parentheses");
        }

        if (length is not null && !command.LengthAllowed)
        {
            throw new FormatException($"%{name}% takes no length");
        }

        if (command.IsOfConnection || command.IsOfEnd || command.IsOfConnectionsAlone)
        {
            missing.Add(name);
        }

        try
        {
            var operation = new FormatOperator(command.Create(argument ?? ""), length, command.IsNumber)
            {
                Write = length is null ? command.CreateWrite?.Invoke(argument ?? "") : null,
                Address = length is null ? command.Address : null,
                Json = command.CreateJson?.Invoke(argument ?? ""),
            };
            headers.AddRange(command.Reads?.Invoke(argument ?? "") ?? []);
            return operation;
        }
        catch (FormatException e)
        {
            throw new FormatException($"%{name}%: {e.Message}", e);
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
