using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// A regular expression of RE2's dialect (the one that Envoy's <c>RegexMatcher</c> takes) in linear time.
/// </summary>
/// <remarks>
/// <para>Exact: the grammar, its refusals and limits, flags, classes (Perl, POSIX, Unicode general categories), ASCII <c>\b</c>, anchors, one
/// character per code point, simple case folding, leftmost-first matches. General categories and foldings are those of the Unicode version that the
/// runtime carries, which may be newer than a given RE2's.</para>
/// <para>Different: Unicode scripts (<c>\p{Greek}</c>) and <c>\C</c> are refused. Text is matched by character, not by byte: a header that was not
/// UTF-8 is seen as the characters it was decoded to.
/// <c>\B</c> never holds inside of a character, where RE2 finds it between the bytes of one. Where loops
/// over what may be empty are nested, a substitution may prefer another of the possible matches.</para>
/// </remarks>
internal sealed class Re2Pattern
{
    private const int StackThreshold = 256;

    private readonly Re2Node _root;
    private readonly Re2Node _language;
    private readonly CodePointAlphabet _alphabet;
    private readonly Regex _full;
    private readonly string _required;
    private Regex? _partial;
    private Re2Program? _program;

    private Re2Pattern(string pattern, Re2Node root, CodePointAlphabet alphabet, int groups, int programSize)
    {
        Pattern = pattern;
        Groups = groups;
        ProgramSize = programSize;
        _root = root;
        _alphabet = alphabet;
        _language = Re2Simplifier.Simplify(root);
        (Prefix, _required) = Re2Literals.Find(_language);
        _full = Compile(DotNetPatternWriter.Full(_language, alphabet));
    }

    /// <summary>The pattern as it was written.</summary>
    public string Pattern { get; }

    /// <summary>Number of capturing groups, named ones included.</summary>
    public int Groups { get; }

    /// <summary>Estimate of RE2's program size.</summary>
    public int ProgramSize { get; }

    /// <summary>What every text begins with that the pattern matches all of; empty when nothing can be said.</summary>
    public string Prefix { get; }

    /// <summary>Parses a pattern with <see cref="Re2Options.Default"/>.</summary>
    /// <exception cref="Re2SyntaxException">RE2 refuses the pattern, it is too large, or it uses what is not supported here.</exception>
    public static Re2Pattern Parse(string pattern) => Parse(pattern, Re2Options.Default);

    /// <inheritdoc cref="Parse(string)"/>
    public static Re2Pattern Parse(string pattern, Re2Options options)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.Length > options.MaxPatternLength)
        {
            throw new Re2SyntaxException(pattern, options.MaxPatternLength, $"longer than {options.MaxPatternLength} characters");
        }

        var root = Re2Parser.Parse(pattern, options.MaxNestingDepth, out var groups);
        var programSize = ProgramSizeEstimator.Estimate(root);
        if (programSize > options.MaxProgramSize)
        {
            throw new Re2SyntaxException(pattern, 0, $"program size of about {programSize} exceeds the limit of {options.MaxProgramSize}; simplify it");
        }

        var sets = new HashSet<CodePointSet>();
        Collect(root, sets);
        var alphabet = CodePointAlphabet.Create(sets)
            ?? throw new Re2SyntaxException(pattern, 0, $"tells apart more than {CodePointAlphabet.Capacity} classes of non-ASCII characters; simplify it");

        try
        {
            return new Re2Pattern(pattern, root, alphabet, groups, programSize);
        }
        catch (NotSupportedException e)
        {
            throw new Re2SyntaxException(pattern, 0, "too large for the non-backtracking engine of .NET; simplify it", e);
        }
    }

    /// <summary>Whether the pattern matches all of <paramref name="text"/>; Envoy's <c>RegexMatcher</c>. Does not allocate.</summary>
    public bool IsFullMatch(ReadOnlySpan<char> text)
        => text.StartsWith(Prefix, StringComparison.Ordinal)
            && (_required.Length == 0 || text[Prefix.Length..].Contains(_required, StringComparison.Ordinal))
            && IsMatch(_full, text);

    /// <summary>Whether the pattern matches anywhere in <paramref name="text"/>.</summary>
    public bool IsPartialMatch(ReadOnlySpan<char> text) =>
        IsMatch(_partial ??= Compile(DotNetPatternWriter.Search(_language, _alphabet)), text);

    /// <summary>Parses a substitution for this pattern.</summary>
    /// <exception cref="Re2SyntaxException">The substitution is malformed, or names a group that the pattern does not have.</exception>
    public Re2Substitution ParseSubstitution(string substitution)
    {
        var parsed = Re2Substitution.Parse(substitution, Groups);

        // Compiled while configuration is read, so that no request can be the first to meet a limit.
        _ = Program;
        return parsed;
    }

    /// <summary>
    /// Replaces every match that does not overlap the one before it, as RE2's <c>GlobalReplace</c> does for Envoy's <c>RegexMatchAndSubstitute</c>.
    /// </summary>
    /// <returns>The text as it was when nothing matches.</returns>
    public string Replace(string text, Re2Substitution substitution)
    {
        if (!IsPartialMatch(text))
        {
            return text;
        }

        var searcher = new Re2Searcher(Program, text, substitution.MaxGroup);
        var output = new StringBuilder(text.Length);
        var position = 0;
        var lastEnd = -1;
        while (position <= text.Length && searcher.Find(position))
        {
            var (start, end) = (searcher.Groups[0], searcher.Groups[1]);
            output.Append(text, position, start - position);
            position = end;
            if (start == end && start == lastEnd)
            {
                // No empty match where the last one ended.
                var length = searcher.LengthAt(position);
                output.Append(text, position, length);
                position += Math.Max(length, 1);
                continue;
            }

            substitution.AppendTo(output, text, searcher.Groups);
            lastEnd = end;
        }

        return position < text.Length ? output.Append(text, position, text.Length - position).ToString() : output.ToString();
    }

    private Re2Program Program => _program ??= Re2Program.Compile(Pattern, _root);

    private bool IsMatch(Regex regex, ReadOnlySpan<char> text) => Ascii.IsValid(text) ? regex.IsMatch(text) : IsMappedMatch(regex, text);

    private bool IsMappedMatch(Regex regex, ReadOnlySpan<char> text)
    {
        var rented = text.Length <= StackThreshold ? null : ArrayPool<char>.Shared.Rent(text.Length);
        try
        {
            var buffer = rented ?? stackalloc char[StackThreshold];
            return regex.IsMatch(buffer[.._alphabet.Map(text, buffer)]);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented, clearArray: true);
            }
        }
    }

    private static Regex Compile(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static void Collect(Re2Node node, HashSet<CodePointSet> sets)
    {
        if (node.Kind == Re2NodeKind.Set)
        {
            sets.Add(node.Set);
        }

        foreach (var child in node.Children)
        {
            Collect(child, sets);
        }
    }
}
