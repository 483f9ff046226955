namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Texts with Envoy's commands in them: <c>%REQ(x-a?x-b):16%</c>, and <c>%%</c> for a percent sign.</summary>
internal static class HeaderFormat
{
    /// <returns>What is wrong, or nothing.</returns>
    public static string? Problem(string value)
    {
        for (var i = value.IndexOf('%'); i >= 0; i = i < value.Length ? value.IndexOf('%', i) : -1)
        {
            if (i + 1 < value.Length && value[i + 1] == '%')
            {
                i += 2;
                continue;
            }

            var end = EndOfCommand(value, i + 1);
            if (end < 0)
            {
                return $"has a % at position {i + 1} that begins no command such as %REQ(name)%: write %% for a percent sign.";
            }

            i = end;
        }

        return value.Contains('%', StringComparison.Ordinal) ? DataPlaneTexts.ProblemOfFormat(value) : null;
    }

    /// <returns>The place behind the closing percent sign, or -1.</returns>
    private static int EndOfCommand(string value, int start)
    {
        var i = Skip(value, start, c => c is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_');
        if (i == start)
        {
            return -1;
        }

        if (i < value.Length && value[i] == '(')
        {
            i = value.IndexOf(')', i) + 1;
            if (i == 0)
            {
                return -1;
            }
        }

        if (i < value.Length && value[i] == ':')
        {
            var digits = i + 1;
            i = Skip(value, digits, char.IsAsciiDigit);
            if (i == digits)
            {
                return -1;
            }
        }

        return i < value.Length && value[i] == '%' ? i + 1 : -1;
    }

    private static int Skip(string value, int from, Func<char, bool> isPart)
    {
        while (from < value.Length && isPart(value[from]))
        {
            from++;
        }

        return from;
    }
}
