using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Tests.Inbound.Http;

public sealed class PathNormalizationTests
{
    private static readonly InboundHttpSettings Base = new() { NormalizesPath = true };
    private static readonly InboundHttpSettings Merging = new() { NormalizesPath = true, MergesSlashes = true };
    private static readonly InboundHttpSettings Decoding = new() { NormalizesPath = true, MergesSlashes = true, EscapedSlashes = EscapedSlashesAction.UnescapeAndForward };

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("/a/../b", "/b")]
    [InlineData("/../../b", "/b")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/a/..", "/")]
    [InlineData("/a/%2e%2E/b", "/b")]
    [InlineData("/a/.%2e/b", "/b")]
    [InlineData("/adm%69n", "/admin")]
    [InlineData("/%61%2F%62", "/a%2Fb")]
    [InlineData("/a%2fb", "/a%2fb")]
    [InlineData("/a%252e", "/a%252e")]
    [InlineData("/a\\b", "/a/b")]
    [InlineData("/a\\..\\b", "/b")]
    [InlineData("/a//b", "/a//b")]
    [InlineData("/a//../b", "/a/b")]
    [InlineData("/a;x/b", "/a;x/b")]
    [InlineData("/a..b/.c", "/a..b/.c")]
    [InlineData("/a/...", "/a/...")]
    [InlineData("/a%zz%", "/a%zz%")]
    [InlineData("/{a}", "/%7Ba%7D")]
    [InlineData("/a%2E?x=/../%2e//", "/a.?x=/../%2e//")]
    public void Reads_paths_as_rfc_3986_has_them(string target, string expected) => Normalized(target, Base).ShouldBe((expected, PathVerdict.Continue));

    [Theory]
    [InlineData("//a", "/a")]
    [InlineData("/a///b//", "/a/b/")]
    [InlineData("/a/%2e//b", "/a/b")]
    [InlineData("/a?b=//", "/a?b=//")]
    public void Merges_slashes_after_that(string target, string expected) => Normalized(target, Merging).ShouldBe((expected, PathVerdict.Continue));

    [Theory]
    [InlineData("/a%2F..%2fb", "/b")]
    [InlineData("/a%5c%5Cb", "/a/b")]
    [InlineData("/a%2F?%2F", "/a/?%2F")]
    public void Unescapes_slashes_before_that(string target, string expected) => Normalized(target, Decoding).ShouldBe((expected, PathVerdict.Continue));

    [Fact]
    public void Redirects_to_the_path_that_was_meant_or_refuses_it()
    {
        Normalized("/a%2Fb?c", Decoding with { EscapedSlashes = EscapedSlashesAction.UnescapeAndRedirect }).ShouldBe(("/a/b?c", PathVerdict.Redirect));
        Normalized("/a/b", Decoding with { EscapedSlashes = EscapedSlashesAction.UnescapeAndRedirect }).ShouldBe(("/a/b", PathVerdict.Continue));
        Normalized("/a%5cb", Decoding with { EscapedSlashes = EscapedSlashesAction.Reject }).Verdict.ShouldBe(PathVerdict.Reject);
    }

    [Theory]
    [InlineData("/a#b")]
    [InlineData("/public#/../admin")]
    [InlineData("/a%00")]
    public void Refuses_what_two_readers_end_at_two_places(string target) => Normalized(target, Base).Verdict.ShouldBe(PathVerdict.Reject);

    [Fact]
    public void Leaves_alone_what_nobody_asks_to_change()
        => Normalized("/a/../b//c%61\\d", new InboundHttpSettings()).ShouldBe(("/a/../b//c%61\\d", PathVerdict.Continue));

    [Theory]
    [InlineData("*")]
    [InlineData("host:443")]
    public void Leaves_targets_alone_that_have_no_path(string target) => Normalized(target, Decoding).ShouldBe((target, PathVerdict.Continue));

    [Fact]
    public void What_is_normal_stays_the_same_object()
    {
        var target = "/reviews/0?full=//..";
        var normal = target;

        PathNormalization.Apply(ref normal, Decoding);

        normal.ShouldBeSameAs(target);
    }

    [Fact]
    public void What_has_been_normalised_is_normal()
        => Check.One(
            Config.QuickThrowOnFailure.WithReplay(1, 1).WithMaxTest(2_000),
            Prop.ForAll(
                Arb.From(Gen.Elements("/", ".", "..", "%2e", "%2F", "\\", "a", "%61", "%25", "%", "//", ";x", "%5C").ArrayOf()),
                pieces =>
                {
                    var once = Normalized("/" + string.Concat(pieces), Decoding).Target;
                    return Normalized(once, Decoding).Target == once && !once.Contains("//", StringComparison.Ordinal) && !once.Contains("/../", StringComparison.Ordinal);
                }));

    private static (string Target, PathVerdict Verdict) Normalized(string target, InboundHttpSettings settings)
    {
        var verdict = PathNormalization.Apply(ref target, settings);
        return (target, verdict);
    }
}
