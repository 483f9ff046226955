using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// The rewrite of Envoy's <c>RegexMatchAndSubstitute</c>: <c>\0</c> is the whole match, <c>\1</c> to <c>\9</c> are groups, <c>\\</c> is a backslash.
/// </summary>
internal sealed class Re2Substitution
{
    private readonly List<(string Literal, int Group)> _parts;

    private Re2Substitution(List<(string Literal, int Group)> parts)
    {
        _parts = parts;
        MaxGroup = parts.Count == 0 ? 0 : Math.Max(0, parts.Max(part => part.Group));
    }

    /// <summary>The highest group that the substitution names, 0 when it names none.</summary>
    public int MaxGroup { get; }

    /// <summary>Parses <paramref name="substitution"/> for use with a pattern of <paramref name="groups"/> capturing groups.</summary>
    /// <exception cref="Re2SyntaxException">A backslash is not followed by a digit or a backslash, or a group does not exist.</exception>
    public static Re2Substitution Parse(string substitution, int groups)
    {
        var parts = new List<(string Literal, int Group)>();
        var literal = new StringBuilder();
        for (var i = 0; i < substitution.Length; i++)
        {
            if (substitution[i] != '\\')
            {
                literal.Append(substitution[i]);
                continue;
            }

            var start = i++;
            switch (i < substitution.Length ? substitution[i] : '\0')
            {
                case '\\':
                    literal.Append('\\');
                    break;
                case >= '0' and <= '9' and var digit when digit - '0' <= groups:
                    parts.Add((literal.ToString(), digit - '0'));
                    literal.Clear();
                    break;
                case >= '0' and <= '9' and var digit:
                    throw new Re2SyntaxException(substitution, start, $"substitution names group {digit}, the pattern has {groups}");
                default:
                    throw new Re2SyntaxException(substitution, start, @"\ in a substitution must be followed by a digit or \");
            }
        }

        if (literal.Length > 0)
        {
            parts.Add((literal.ToString(), -1));
        }

        return new Re2Substitution(parts);
    }

    /// <summary>Writes the replacement of one match, whose bounds and groups are in <paramref name="groups"/>.</summary>
    public void AppendTo(StringBuilder output, string text, ReadOnlySpan<int> groups)
    {
        foreach (var (literal, group) in _parts)
        {
            output.Append(literal);
            if (group >= 0 && groups[2 * group] is >= 0 and var start && groups[(2 * group) + 1] is >= 0 and var end)
            {
                output.Append(text, start, end - start);
            }
        }
    }
}
