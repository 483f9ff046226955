using System.Net;
using Envoy.Config.Route.V3;
using static Envoy.Config.Core.V3.HeaderValueOption.Types;

namespace Mesh.Client.Tests.Routes;

/// <summary>For each of these either one well-formed request leaves this process, or none.</summary>
public class SmugglingTests
{
    private const string Evil = "x\r\nGET /admin HTTP/1.1\r\nHost: evil\r\n\r\n";

    public static TheoryData<string> Breaks => ["a\r\nb", "a\nb", "a\rb", "a\0b", "a\u0001b", "a\u007fb", Evil];

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task A_substituted_value_that_would_end_its_header_is_not_sent(string value)
    {
        foreach (var action in Enum.GetValues<HeaderAppendAction>())
        {
            var route = RoutedMesh.Route();
            route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-copy", "[%PATH(NQ)%%QUERY_PARAM(q)%]", action));
            await RefusedAsync(route, new Uri("http://reviews:9080/?q=" + value, Verbatim), action == HeaderAppendAction.AddIfAbsent ? [] : [("x-copy", "there")]);
        }
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a#b")]
    [InlineData("a\r\nb")]
    [InlineData("a\tb")]
    [InlineData("a\0b")]
    public async Task A_rendered_path_that_would_break_the_request_line_is_not_sent(string value)
        => await RefusedAsync(RoutedMesh.Route(a => a.PathRewrite = "/%QUERY_PARAM(q)%"), new Uri("http://reviews:9080/?q=" + value, Verbatim));

    [Theory]
    [InlineData("%REQ(x-path)%", "relative")]
    [InlineData("%REQ(x-path)%", "http://evil/")]
    [InlineData("%REQ(x-path)%", "0/")]
    [InlineData("%REQ(x-path)%", "@evil/")]
    [InlineData("%REQ(x-path)%", "/a /b HTTP/1.1")]
    public async Task A_rendered_path_is_a_path(string rewrite, string value)
        => await RefusedAsync(RoutedMesh.Route(a => a.PathRewrite = rewrite), new Uri("http://reviews:9080/"), ("x-path", value));

    [Theory]
    [InlineData("0", "/x")]
    [InlineData("relative/", "/x")]
    [InlineData(".evil", "/x")]
    public async Task A_prefix_that_is_no_path_does_not_move_into_the_authority(string rewrite, string path)
        => await RefusedAsync(RoutedMesh.Route(a => a.PrefixRewrite = rewrite), new Uri("http://reviews:9080" + path));

    [Theory]
    [InlineData("/(.*)", @"\1", "/no-slash")]
    [InlineData("%20", " ", "/a%20b")]
    public async Task An_expression_that_makes_no_path_sends_nothing(string pattern, string substitution, string path)
        => await RefusedAsync(
            RoutedMesh.Route(a => a.RegexRewrite = RewriteTests.Regex(pattern, substitution)),
            new Uri("http://reviews:9080" + path));

    [Theory]
    [InlineData("evil\r\nx: y")]
    [InlineData("a b")]
    [InlineData("user@evil")]
    [InlineData("evil/path")]
    [InlineData("evil?x")]
    [InlineData("a,b")]
    [InlineData("evil:port")]
    [InlineData("evil:99999")]
    [InlineData("[::1")]
    [InlineData(":80")]
    public async Task A_host_that_is_none_is_not_sent(string value)
    {
        var route = RoutedMesh.Route(a => a.HostRewrite = "%QUERY_PARAM(q)%");
        var uri = new Uri("http://reviews:9080/?q=" + value.Replace('?', '\u0002').Replace("#", ""), Verbatim);
        await RefusedAsync(route, uri);
        if (value.All(c => c is >= ' ' and < '\u007f'))
        {
            await RefusedAsync(RoutedMesh.Route(a => a.HostRewriteHeader = "x-host"), new Uri("http://reviews:9080/"), ("x-host", value));
        }
    }

    [Fact]
    public async Task A_response_header_that_would_break_is_left_out_and_replaces_nothing_by_itself()
    {
        await using var mesh = RoutedMesh.Create("x-there: theirs\r\n");
        var route = RoutedMesh.Route();
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-there", "%REQ(x-bad)%", HeaderAppendAction.OverwriteIfExistsOrAdd));
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-new", "%REQ(x-bad)%"));
        route.ResponseHeadersToAdd.Add(RoutedMesh.Header("x-fine", "fine"));
        mesh.Routes(route);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.TryAddWithoutValidation("x-bad", "a\u0001b");
        using var response = await mesh.SendAsync(request);
        response.Headers.Contains("x-there").ShouldBeFalse();
        response.Headers.Contains("x-new").ShouldBeFalse();
        response.Headers.GetValues("x-fine").ShouldBe(["fine"]);
    }

    [Theory]
    [InlineData("/a\r\nx-evil: 1\r\n\r\nGET /b")]
    [InlineData("/a HTTP/1.1\nx: y")]
    [InlineData("/a\0b")]
    public async Task A_target_of_the_callers_own_making_that_would_break_the_request_line_is_not_sent(string target)
        => await RefusedAsync(RoutedMesh.Route(), new Uri("http://reviews:9080" + target, Verbatim));

    // Cut down to their lower bytes, the two letters are CR and LF.
    [Theory]
    [InlineData("/a\u010d\u010ax-evil:1", "v")]
    [InlineData("/?q=\u010d\u010ax-evil:1", "v")]
    [InlineData("/a%0d%0ax-evil:1?q=%0d%0ax-evil:1", "v")]
    [InlineData("/", "a\u010d\u010ax-evil:1")]
    public async Task Letters_that_end_in_the_bytes_of_a_line_break_break_no_line(string target, string value)
    {
        var copy = RoutedMesh.Route(a => a.RegexRewrite = RewriteTests.Regex("^/a(.*)$", @"/b\1"));
        copy.RequestHeadersToAdd.Add(RoutedMesh.Header("x-copy", "%REQ(x-value)%%PATH(WQ)%"));
        await using var mesh = RoutedMesh.Create().Routes(copy);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("http://reviews:9080" + target, Verbatim));
        request.Headers.TryAddWithoutValidation("x-value", value);

        using var response = await mesh.SendAsync(request);

        mesh.Server.Heads.Count.ShouldBeLessThanOrEqualTo(1);
        foreach (var line in mesh.Server.Heads.SelectMany(h => h.Split('\n')))
        {
            line.ShouldNotStartWith("x-evil");
        }

        mesh.Server.Heads.ShouldAllBe(h => h.Count(c => c == '\r') == h.Count(c => c == '\n') && h.Split("\r\n", StringSplitOptions.None)[0].Split(' ').Length == 3);
    }

    [Fact]
    public async Task A_redirect_whose_address_would_break_is_answered_with_400()
    {
        await using var mesh = RoutedMesh.Create().Routes(new Route { Match = new RouteMatch { Prefix = "/" }, Redirect = new RedirectAction { PathRewrite = "/%QUERY_PARAM(q)%" } });
        using var response = await mesh.SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri("http://reviews:9080/?q=a\r\nSet-Cookie:b", Verbatim)));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Headers.Contains("Location").ShouldBeFalse();
    }

    private static UriCreationOptions Verbatim { get; } = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private static async Task RefusedAsync(Route route, Uri uri, params (string Name, string Value)[] headers)
    {
        await using var mesh = RoutedMesh.Create().Routes(route, RoutedMesh.Route());
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await mesh.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).ShouldContain("cannot be sent");
        mesh.Server.Heads.ShouldBeEmpty();
        request.RequestUri.ShouldBeSameAs(uri);
        mesh.Mesh.ActiveRequests.ShouldBe(0);
    }
}
