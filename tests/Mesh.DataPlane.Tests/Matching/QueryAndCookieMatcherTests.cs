using Envoy.Config.Route.V3;
using Mesh.DataPlane.Matching;
using QueryParameterMatcher = Envoy.Config.Route.V3.QueryParameterMatcher;
using StringMatcher = Envoy.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Tests.Matching;

public class QueryAndCookieMatcherTests
{
    [Theory]
    [InlineData("/?env=dev", true)]
    [InlineData("/?a=1&env=dev&env=prod", true)]
    [InlineData("/?env=prod&env=dev", false)]
    [InlineData("/?env=dev%20", false)]
    [InlineData("/?envx=dev", false)]
    [InlineData("/?env", false)]
    [InlineData("/#?env=dev", false)]
    [InlineData("/?x=1#env=dev", false)]
    [InlineData("/", false)]
    public void A_query_parameter_is_compared_by_its_first_value(string path, bool expected)
        => MatcherCompiler.QueryParameter(new QueryParameterMatcher { Name = "env", StringMatch = new StringMatcher { Exact = "dev" } }, "")
            .IsMatch(FakeHeaders.View(path))
            .ShouldBe(expected);

    [Theory]
    [InlineData("/?debug", true)]
    [InlineData("/?debug=", true)]
    [InlineData("/?debugger=1", false)]
    public void A_query_parameter_may_just_have_to_be_there(string path, bool expected)
        => MatcherCompiler.QueryParameter(new QueryParameterMatcher { Name = "debug", PresentMatch = true }, "").IsMatch(FakeHeaders.View(path)).ShouldBe(expected);

    [Theory]
    [InlineData("user=jason", true)]
    [InlineData("a=b; user=jason; c=d", true)]
    [InlineData("a=b;user=\"jason\"", true)]
    [InlineData("user=bob", false)]
    [InlineData("superuser=jason", false)]
    public void A_cookie_is_found_among_others(string cookie, bool expected)
        => MatcherCompiler.Cookie(new Envoy.Config.Route.V3.CookieMatcher { Name = "user", StringMatch = new StringMatcher { Exact = "jason" } }, "")
            .IsMatch(FakeHeaders.View("/", new() { ["cookie"] = cookie }))
            .ShouldBe(expected);
}
