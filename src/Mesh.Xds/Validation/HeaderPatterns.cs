using System.Text.RegularExpressions;

namespace Mesh.Xds.Validation;

/// <summary>What protoc-gen-validate's <c>well_known_regex</c> stands for.</summary>
internal static class HeaderPatterns
{
    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking;

    private static readonly Regex Name = new(@"^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+\z", Options);
    private static readonly Regex Value = new(@"^[^\u0000-\u0008\u000A-\u001F\u007F]*\z", Options);
    private static readonly Regex Loose = new(@"^[^\u0000\u000A\u000D]*\z", Options);

    /// <param name="kind"><c>HTTP_HEADER_NAME</c> or <c>HTTP_HEADER_VALUE</c>.</param>
    /// <param name="strict">Otherwise only what ends a header line is refused.</param>
    public static Regex Of(string kind, bool strict) => (kind, strict) switch
    {
        ("HTTP_HEADER_NAME" or "HTTP_HEADER_VALUE", false) => Loose,
        ("HTTP_HEADER_NAME", true) => Name,
        ("HTTP_HEADER_VALUE", true) => Value,
        _ => throw new FormatException($"the well_known_regex {kind} is not known"),
    };
}
