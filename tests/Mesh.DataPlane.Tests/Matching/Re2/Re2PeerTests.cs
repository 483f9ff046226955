using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Tests.Matching.Re2;

/// <summary>Asks RE2 itself. MESH_RE2_PAIRS sets how many pairs of pattern and text are compared.</summary>
[Trait("Category", "Peers")]
public sealed class Re2PeerTests
{
    private const int TextsPerPattern = 5;

    private static int Pairs => int.TryParse(Environment.GetEnvironmentVariable("MESH_RE2_PAIRS"), CultureInfo.InvariantCulture, out var pairs) ? pairs : 10_000;

    [Re2DriverFact]
    public Task Agrees_with_RE2_on_random_patterns() => Compare(Re2Generators.Pattern);

    [Re2DriverFact]
    public Task Agrees_with_RE2_on_damaged_patterns() => Compare(Re2Generators.DamagedPattern);

    [Re2DriverFact]
    public async Task Agrees_with_RE2_on_the_vectors()
    {
        using var driver = new Re2Driver(Environment.GetEnvironmentVariable(Re2DriverFactAttribute.Variable)!);
        var differences = new StringBuilder();
        foreach (var (pattern, text, full, partial) in Re2Vectors.All)
        {
            // Named groups without P are younger than some packaged versions of RE2.
            var answer = await driver.AskAsync(pattern.Replace("(?<", "(?P<", StringComparison.Ordinal), text, "");
            if (answer.Error is not null || answer.Full != full || answer.Partial != partial)
            {
                differences.AppendLine(CultureInfo.InvariantCulture, $"{pattern} on {Show(text)}: RE2 says {answer}");
            }
        }

        differences.ToString().ShouldBeEmpty();
    }

    private static async Task Compare(Gen<string> patterns)
    {
        using var driver = new Re2Driver(Environment.GetEnvironmentVariable(Re2DriverFactAttribute.Variable)!);
        var differences = new List<string>();
        var accepted = 0;
        var tooLarge = 0;
        var generator = from pattern in patterns
                        from texts in Re2Generators.Text.ArrayOf(TextsPerPattern)
                        select (pattern, texts);
        foreach (var (pattern, texts) in generator.Sample(Pairs / TextsPerPattern, 60))
        {
            if (IsOursAlone(pattern))
            {
                continue;
            }

            Re2Pattern? ours = null;
            var refusal = "";
            try
            {
                ours = Re2Pattern.Parse(pattern);
                accepted++;
            }
            catch (Re2SyntaxException e) when (e.Reason.Contains("simplify it", StringComparison.Ordinal))
            {
                tooLarge++;
                continue;
            }
            catch (Re2SyntaxException e)
            {
                refusal = e.Reason;
            }

            // RE2 finds \B between the bytes of one character.
            var bytewise = pattern.Contains(@"\B", StringComparison.Ordinal);
            var searches = !bytewise && ours is not null && EmptyLoops(Re2Parser.Parse(pattern, 1_000, out _)) < 2;
            foreach (var text in texts)
            {
                var rewrite = ours is { Groups: > 0 } ? @"<\0|\1>" : @"<\0>";
                var answer = await driver.AskAsync(pattern, text, rewrite);
                var seen = ours is null
                    ? new Re2Answer(refusal, false, false, 0, 0, "")
                    : new Re2Answer(
                        null,
                        ours.IsFullMatch(text),
                        bytewise ? answer.Partial : ours.IsPartialMatch(text),
                        answer.ProgramSize,
                        ours.Groups,
                        searches ? ours.Replace(text, ours.ParseSubstitution(rewrite)) : answer.Replaced);
                if (seen with { Error = null } != answer with { Error = null } || seen.Error is null != answer.Error is null)
                {
                    differences.Add($"{Show(pattern)} on {Show(text)}:\n  RE2  {answer}\n  ours {seen}");
                }
            }
        }

        accepted.ShouldBeGreaterThan(Pairs / TextsPerPattern / 10);
        tooLarge.ShouldBeLessThan(Math.Max(10, Pairs / TextsPerPattern / 100));
        string.Join("\n", differences.OrderBy(d => d.Length).Take(20)).ShouldBeEmpty($"{differences.Count} differences");
    }

    /// <summary>Where we differ by design: the younger form of named groups, <c>\C</c>, and half surrogate pairs, which UTF-8 cannot say.</summary>
    private static bool IsOursAlone(string pattern) =>
        pattern.Contains("(?<", StringComparison.Ordinal)
        || pattern.Contains(@"\C", StringComparison.Ordinal)
        || pattern.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar);

    /// <summary>How deep loops over what may be empty are nested; from two on, RE2 may prefer another of the possible matches.</summary>
    private static int EmptyLoops(Re2Node node)
    {
        var inside = node.Children.Select(EmptyLoops).DefaultIfEmpty().Max();
        return node.Kind == Re2NodeKind.Repeat && node.Max != 1 && Re2Simplifier.MayBeEmpty(node.Children[0]) ? inside + 1 : inside;
    }

    private static string Show(string text) => string.Concat(text.Select(c => c is < ' ' or >= '\u007F' ? $"\\u{(int)c:X4}" : c.ToString()));
}
