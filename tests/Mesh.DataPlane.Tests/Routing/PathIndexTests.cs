using FsCheck;
using FsCheck.Fluent;
using Mesh.DataPlane.Matching.Re2;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tests.Matching;

namespace Mesh.DataPlane.Tests.Routing;

public class PathIndexTests
{
    // Few letters and slashes: paths collide, nest and share prefixes all the time.
    private static readonly Gen<string> Paths =
        Gen.Elements("/", "a", "b", "A", "ab", "/a", "?q=1", "é").ListOf().Select(parts => "/" + string.Concat(parts));

    private static readonly Gen<PathMatch> Matches =
        from kind in Gen.Elements(PathMatchKind.Exact, PathMatchKind.Prefix, PathMatchKind.Prefix, PathMatchKind.PathSeparatedPrefix, PathMatchKind.Regex)
        from caseSensitive in Gen.Elements(true, true, false)
        from text in Paths
        select kind == PathMatchKind.Regex
            ? new PathMatch(kind, "/a.*", true, Re2Pattern.Parse("/a.*"))
            : new PathMatch(kind, text.Replace("?q=1", ""), caseSensitive);

    [Fact]
    public void The_index_finds_what_comparing_each_route_in_order_finds()
    {
        var cases = from matches in Matches.ListOf() from path in Paths select (matches.ToArray(), path);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var routes = c.Item1.Select((m, i) => Route(i, m)).ToArray();
            var pathOnly = c.path.Split('?')[0];
            var expected = routes.FirstOrDefault(r => r.Match.Path.IsMatch(pathOnly));
            return ReferenceEquals(new PathIndex(routes).Match(FakeHeaders.View(c.path), 0), expected);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void With_headers_queries_and_chances_the_index_still_finds_the_first_match()
    {
        var conditions = Gen.Elements(
            RouteConditions.None,
            Conditions(new DataPlane.Matching.HeaderMatcher.Present(new("x"), present: true, invert: false, missingAsEmpty: false)),
            Conditions(new DataPlane.Matching.HeaderMatcher.Present(new("x"), present: true, invert: true, missingAsEmpty: false)),
            Conditions(new DataPlane.Matching.HeaderMatcher.Present(new("y"), present: false, invert: false, missingAsEmpty: false)),
            new RouteConditions([], [], [], [], grpcOnly: true, fraction: null),
            new RouteConditions([], [], [], [], grpcOnly: false, new DataPlane.Matching.Fraction(1, 2)));
        var cases =
            from matches in Matches.ListOf()
            from asked in conditions.ListOf(matches.Count)
            from path in Paths
            from x in Gen.Elements(true, false)
            from y in Gen.Elements(true, false)
            from grpc in Gen.Elements(true, false)
            from draw in Gen.Elements(0UL, 1UL << 62, 1UL << 63, ulong.MaxValue)
            select (Matches: matches.ToArray(), Asked: asked.ToArray(), Path: path, X: x, Y: y, Grpc: grpc, Draw: draw);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var headers = new Dictionary<string, string>();
            if (c.X)
            {
                headers["x"] = "1";
            }

            if (c.Y)
            {
                headers["y"] = "1";
            }

            if (c.Grpc)
            {
                headers["content-type"] = "application/grpc";
            }

            var routes = c.Matches.Select((m, i) => new RouteEntry(i, "", new RouteMatch(m, c.Asked[i]), new RouteAction.Unsupported(""))).ToArray();
            var expected = routes.FirstOrDefault(r => r.Match.FirstMismatch(FakeHeaders.View(c.Path, headers), c.Draw) is null);
            return ReferenceEquals(new PathIndex(routes).Match(FakeHeaders.View(c.Path, headers), c.Draw), expected);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

        static RouteConditions Conditions(DataPlane.Matching.HeaderMatcher header) => new([header], [], [], [], grpcOnly: false, null);
    }

    [Fact]
    public void A_route_whose_headers_do_not_match_gives_way_to_the_next_candidate()
    {
        var header = new DataPlane.Matching.HeaderMatcher.Present(new("x"), present: true, invert: false, missingAsEmpty: false);
        var first = new RouteEntry(0, "", new RouteMatch(new(PathMatchKind.Exact, "/a", true), new RouteConditions([header], [], [], [], false, null)), new RouteAction.Unsupported(""));
        var second = Route(1, new(PathMatchKind.Prefix, "/", true));
        var index = new PathIndex([first, second]);

        index.Match(FakeHeaders.View("/a", new() { ["x"] = "" }), 0).ShouldBe(first);
        index.Match(FakeHeaders.View("/a"), 0).ShouldBe(second);
    }

    [Fact]
    public void More_nested_prefixes_than_cursors_are_still_found_in_order()
    {
        var routes = Enumerable.Range(0, 40).Select(i => Route(i, new(PathMatchKind.Prefix, "/" + new string('a', 40 - i), true))).ToArray();
        new PathIndex(routes).Match(FakeHeaders.View("/" + new string('a', 60)), 0)!.Index.ShouldBe(0);
        new PathIndex(routes).Match(FakeHeaders.View("/aaa"), 0)!.Index.ShouldBe(37);
    }

    private static RouteEntry Route(int index, PathMatch match)
        => new(index, "", new RouteMatch(match, RouteConditions.None), new RouteAction.Unsupported(""));
}
