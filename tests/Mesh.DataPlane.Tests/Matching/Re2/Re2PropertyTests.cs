using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Tests.Matching.Re2;

public sealed class Re2PropertyTests
{
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(2_000).WithEndSize(60);

    [Fact]
    public void A_pattern_is_either_refused_or_matches_in_finite_time() => Check.One(Thorough, Prop.ForAll(Cases(Re2Generators.Pattern), Survives));

    [Fact]
    public void A_damaged_pattern_is_either_refused_or_matches_in_finite_time() =>
        Check.One(Thorough, Prop.ForAll(Cases(Re2Generators.DamagedPattern), Survives));

    [Fact]
    public void Any_string_is_either_refused_or_matches_in_finite_time() =>
        Check.One(Thorough, Prop.ForAll(Cases(ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "")), Survives));

    [Fact]
    public void A_full_match_is_a_partial_match() =>
        Check.One(Thorough, Prop.ForAll(Cases(Re2Generators.Pattern), input => !TryParse(input.Pattern, out var parsed)
            || !parsed.IsFullMatch(input.Text)
            || parsed.IsPartialMatch(input.Text)));

    [Fact]
    public void A_quoted_text_matches_itself_alone() =>
        Check.One(Thorough, Prop.ForAll(Arb.From(Re2Generators.Text), text =>
        {
            var parsed = Re2Pattern.Parse(@"\Q" + text.Replace(@"\", @"\E\\\Q", StringComparison.Ordinal) + @"\E");
            return parsed.IsFullMatch(text) && !parsed.IsFullMatch(text + "a") && !parsed.IsFullMatch(text + "é");
        }));

    [Fact]
    public void Replacing_a_match_with_itself_changes_nothing() =>
        Check.One(Thorough, Prop.ForAll(Cases(Re2Generators.Pattern), input => !TryParse(input.Pattern, out var parsed)
            || parsed.Replace(input.Text, parsed.ParseSubstitution(@"\0")) == input.Text));

    private static Arbitrary<(string Pattern, string Text)> Cases(Gen<string> patterns) =>
        Arb.From(from pattern in patterns from text in Re2Generators.Text select (pattern, text));

    private static bool Survives((string Pattern, string Text) input)
    {
        if (TryParse(input.Pattern, out var parsed))
        {
            parsed.IsFullMatch(input.Text);
            parsed.IsPartialMatch(input.Text);
            parsed.Replace(input.Text, parsed.ParseSubstitution(parsed.Groups > 0 ? @"\1" : @"\0"));
        }

        return true;
    }

    private static bool TryParse(string pattern, out Re2Pattern parsed)
    {
        try
        {
            parsed = Re2Pattern.Parse(pattern);
            return true;
        }
        catch (Re2SyntaxException)
        {
            parsed = null!;
            return false;
        }
    }
}
