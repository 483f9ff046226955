namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Perl's and POSIX' named classes. In RE2 all of them are ASCII only, and <c>\s</c> lacks the vertical tab that <c>[:space:]</c> has.</summary>
internal static class AsciiClasses
{
    private static readonly CodePointSet Digit = Of(('0', '9'));
    private static readonly CodePointSet Word = Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    private static readonly CodePointSet PerlSpace = Of(('\t', '\n'), ('\f', '\r'), (' ', ' '));

    private static readonly Dictionary<string, CodePointSet> Posix = new()
    {
        ["alnum"] = Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
        ["alpha"] = Of(('A', 'Z'), ('a', 'z')),
        ["ascii"] = Of((0, 0x7F)),
        ["blank"] = Of(('\t', '\t'), (' ', ' ')),
        ["cntrl"] = Of((0, 0x1F), (0x7F, 0x7F)),
        ["digit"] = Digit,
        ["graph"] = Of(('!', '~')),
        ["lower"] = Of(('a', 'z')),
        ["print"] = Of((' ', '~')),
        ["punct"] = Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')),
        ["space"] = Of(('\t', '\r'), (' ', ' ')),
        ["upper"] = Of(('A', 'Z')),
        ["word"] = Word,
        ["xdigit"] = Of(('0', '9'), ('A', 'F'), ('a', 'f')),
    };

    /// <summary>The class of <c>\d</c>, <c>\s</c> or <c>\w</c>, or of their capital negations; null for any other letter.</summary>
    public static CodePointSet? FindPerl(char letter) => letter switch
    {
        'd' or 'D' => Digit,
        's' or 'S' => PerlSpace,
        'w' or 'W' => Word,
        _ => null,
    };

    public static CodePointSet? FindPosix(string name) => Posix.GetValueOrDefault(name);

    private static CodePointSet Of(params (int Low, int High)[] ranges) => new(ranges);
}
