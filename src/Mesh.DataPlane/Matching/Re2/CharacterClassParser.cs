namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Parses <c>[…]</c>.</summary>
internal static class CharacterClassParser
{
    /// <summary>Reads a class; the cursor is on its opening bracket.</summary>
    public static CodePointSet Parse(PatternReader reader, bool foldCase)
    {
        var start = reader.Position;
        reader.Position++;
        var negated = reader.TryTake('^');
        var builder = new CodePointSetBuilder();

        // A ] that comes first is a literal.
        for (var first = true; reader.AtEnd || reader.Current != ']' || first; first = false)
        {
            if (reader.AtEnd)
            {
                reader.Fail(start, "missing closing ]");
            }

            if (!TryPosix(reader, builder, foldCase) && !TryEscapedClass(reader, builder, foldCase))
            {
                Range(reader, builder, foldCase, start);
            }
        }

        reader.Position++;
        var set = builder.Build();
        return negated ? CodePointSetBuilder.Complement(set) : set;
    }

    private static bool TryPosix(PatternReader reader, CodePointSetBuilder builder, bool foldCase)
    {
        if (!reader.StartsWith("[:"))
        {
            return false;
        }

        // Without ":]" anywhere behind it, "[:" is two literals.
        var end = reader.Pattern.IndexOf(":]", reader.Position + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var name = reader.Pattern[(reader.Position + 2)..end];
        var negated = name.StartsWith('^');
        if (AsciiClasses.FindPosix(negated ? name[1..] : name) is not { } set)
        {
            reader.Fail(reader.Position, $"invalid character class range: [:{name}:]");
            return false;
        }

        builder.AddClass(set, negated, foldCase);
        reader.Position = end + 2;
        return true;
    }

    private static bool TryEscapedClass(PatternReader reader, CodePointSetBuilder builder, bool foldCase)
    {
        if (reader.Rest is not ['\\', var letter, ..])
        {
            return false;
        }

        if (letter is 'p' or 'P' && reader.Rest.Length > 2)
        {
            var unicode = reader.TakeUnicodeClass(out var negated);
            builder.AddClass(unicode, negated, foldCase);
            return true;
        }

        if (AsciiClasses.FindPerl(letter) is { } perl)
        {
            builder.AddClass(perl, char.IsAsciiLetterUpper(letter), foldCase);
            reader.Position += 2;
            return true;
        }

        return false;
    }

    private static void Range(PatternReader reader, CodePointSetBuilder builder, bool foldCase, int classStart)
    {
        var start = reader.Position;
        var low = Member(reader, classStart);
        var high = low;

        // [a-] means a or -.
        if (reader.Rest is ['-', not ']', ..])
        {
            reader.Position++;
            high = Member(reader, classStart);
            if (high < low)
            {
                reader.Fail(start, $"invalid character class range: {reader.Pattern[start..reader.Position]}");
            }
        }

        builder.Add(low, high, foldCase);
    }

    private static int Member(PatternReader reader, int classStart)
    {
        if (reader.AtEnd)
        {
            reader.Fail(classStart, "missing closing ]");
        }

        return reader.Current == '\\' ? reader.TakeEscape() : reader.TakeCodePoint();
    }
}
