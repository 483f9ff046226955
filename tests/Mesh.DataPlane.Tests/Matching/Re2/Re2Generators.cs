using FsCheck;
using FsCheck.Fluent;

namespace Mesh.DataPlane.Tests.Matching.Re2;

/// <summary>Random patterns of RE2's grammar, nearly patterns, texts and substitutions.</summary>
internal static class Re2Generators
{
    private static readonly string[] Literals =
    [
        "a", "b", "c", "A", "B", "k", "K", "s", "S", "0", "1", "_", "-", "/", " ", "{", "}", "]", ",", "é", "É", "ß", "ſ", "\u212A", "Σ", "ς", "Ж", "€", "😀", "𐐀",
        @"\.", @"\n", @"\t", @"\r", @"\f", @"\v", @"\a", @"\x41", @"\x{e9}", @"\x{1F600}", @"\141", @"\0", @"\_", @"\-", @"\\", @"\Qa.b\E", @"\Q", @"\E", @"\8",
        "\n", "\t",
    ];

    private static readonly string[] Atoms =
    [
        ".", "^", "$", @"\A", @"\z", @"\b", @"\B", @"\d", @"\D", @"\s", @"\S", @"\w", @"\W", @"\pL", @"\PL", @"\p{Lu}", @"\p{^Ll}", @"\P{N}", @"\pZ", @"\p{Any}", "",
        "(?i)", "(?-i)", "(?s)", "(?m)", "(?U)", "(?-ms)", "()", "(?:)",
    ];

    private static readonly string[] Members =
    [
        "a", "b-k", "A-Z", "0-9", "_", "-", "^", "]", "/", @"\d", @"\D", @"\w", @"\W", @"\s", @"\S", @"\pL", @"\P{Lu}", "[:alpha:]", "[:^digit:]", "[:space:]",
        "[:word:]", @"\]", @"\-", @"\x41", @"\x{80}-\x{10FFFF}", "é", "à-ÿ", "😀", "s", "K", @"\n", "[", ":",
    ];

    private static readonly string[] Quantifiers =
        ["", "", "", "*", "+", "?", "*?", "+?", "??", "{0}", "{1}", "{2}", "{0,1}", "{1,3}", "{2,}", "{1,2}?", "{,2}", "{3,1}", "**"];

    private static readonly string[] Opens = ["(", "(?:", "(?i:", "(?s:", "(?m:", "(?U:", "(?-i:", "(?P<n>", "(?is-m:"];

    private static readonly string[] Characters =
    [
        "a", "a", "b", "b", "c", "A", "B", "k", "K", "s", "S", "0", "1", "7", "_", "-", "/", ".", " ", "\n", "\t", "\r", "\v", "\f", "\a", "\0", "{", "]", "^", "E", "Q",
        "é", "É", "à", "ß", "ẞ", "ſ", "\u212A", "Σ", "σ", "ς", "Ж", "ж", "€", "\u0660", "\u00A0", "\uE000", "\uFFFD", "😀", "😁", "𐐀", "𐐨",
    ];

    public static Gen<string> Text { get; } = Gen.Sized(size => Join(Gen.Elements(Characters), 0, Math.Min(size / 3, 14)));

    /// <summary>Mostly valid; some are not, as the grammar is followed loosely.</summary>
    public static Gen<string> Pattern { get; } = Gen.Sized(size => Alternation(Math.Min(size / 12, 4)));

    /// <summary>A pattern with a few characters lost or put in.</summary>
    public static Gen<string> DamagedPattern { get; } =
        from pattern in Pattern
        from at in Gen.Choose(0, pattern.Length)
        from removed in Gen.Choose(0, Math.Min(2, pattern.Length - at))
        from inserted in Gen.Elements("", "(", ")", "[", "]", "\\", "?", "*", "{", "(?", "[^", "-", "|", ":]", "^", "{2", ",")
        select pattern[..at] + inserted + pattern[(at + removed)..];

    private static Gen<string> Alternation(int depth) =>
        from branches in Gen.Frequency((5, Gen.Constant(1)), (2, Gen.Constant(2)), (1, Gen.Constant(3)))
        from text in Join(Concatenation(depth), branches, branches, "|")
        select text;

    private static Gen<string> Concatenation(int depth) => Join(Repetition(depth), 0, 4);

    private static Gen<string> Repetition(int depth) =>
        from operand in Operand(depth)
        from quantifier in Gen.Elements(Quantifiers)
        select operand + quantifier;

    private static Gen<string> Operand(int depth)
    {
        var leaf = Gen.Frequency((4, Gen.Elements(Literals)), (2, Gen.Elements(Atoms)), (2, Class()));
        return depth == 0 ? leaf : Gen.Frequency((3, leaf), (2, Group(depth - 1)));
    }

    private static Gen<string> Group(int depth) =>
        from open in Gen.Elements(Opens)
        from body in Alternation(depth)
        select open + body + ")";

    private static Gen<string> Class() =>
        from open in Gen.Elements("[", "[", "[^")
        from members in Join(Gen.Elements(Members), 1, 3)
        select open + members + "]";

    private static Gen<string> Join(Gen<string> part, int min, int max, string separator = "") =>
        from count in Gen.Choose(min, max)
        from parts in part.ArrayOf(count)
        select string.Join(separator, parts);
}
