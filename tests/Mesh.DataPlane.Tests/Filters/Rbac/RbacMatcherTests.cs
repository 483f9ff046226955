using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Matching.CommonInputs.Network.V3;
using Envoy.Extensions.Matching.CommonInputs.Ssl.V3;
using Envoy.Extensions.Matching.InputMatchers.Ip.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;
using Mesh.Xds.Client;
using Xds.Core.V3;
using Action = Envoy.Config.Rbac.V3.Action;
using Decision = Envoy.Config.Rbac.V3.RBAC.Types.Action;
using Matcher = Xds.Type.Matcher.V3.Matcher;
using Predicate = Xds.Type.Matcher.V3.Matcher.Types.MatcherList.Types.Predicate;
using Text = Xds.Type.Matcher.V3.StringMatcher;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Decisions by a matcher in place of rules.</summary>
public sealed class RbacMatcherTests
{
    [Fact]
    public void The_first_predicate_that_holds_names_the_action_and_what_none_is_for_is_denied()
    {
        var matcher = List((Header(":path", new Text { Prefix = "/admin" }), Act("admins", Decision.Deny)), (Header(":method", new Text { Exact = "GET" }), Act("readers", Decision.Allow)));

        Decide(matcher, new TestRequest("/orders")).ShouldBe((true, "readers"));
        Decide(matcher, new TestRequest("/admin")).ShouldBe((false, "admins"));
        Decide(matcher, new TestRequest("/orders", "POST")).ShouldBe((false, null));
        Decide(new Matcher(), new TestRequest("/orders")).ShouldBe((false, null));
    }

    [Fact]
    public void Otherwise_and_nested_matchers_decide_what_is_left_open()
    {
        var nested = List((Header("x-key", new Text { Exact = "k" }), Act("key", Decision.Allow)));
        var matcher = List((Header(":path", new Text { Prefix = "/a" }), new Matcher.Types.OnMatch { Matcher = nested }), (Header(":method", new Text { Exact = "GET" }), Act("all", Decision.Allow)));
        matcher.OnNoMatch = Act("rest", Decision.Log);

        Decide(matcher, new TestRequest("/a").With("x-key", "k")).ShouldBe((true, "key"));
        Decide(matcher, new TestRequest("/a")).ShouldBe((false, null), "what a nested matcher leaves open is not asked again");
        Decide(matcher, new TestRequest("/b")).ShouldBe((true, "all"));
        Decide(matcher, new TestRequest("/b", "POST")).ShouldBe((true, "rest"));
    }

    [Fact]
    public void Predicates_are_combined()
    {
        var both = new Predicate { AndMatcher = new() { Predicate = { Header("x-a", new Text { Exact = "1" }), Header("x-b", new Text { Exact = "2" }) } } };
        var either = new Predicate { OrMatcher = new() { Predicate = { Header("x-a", new Text { Exact = "1" }), Header("x-b", new Text { Exact = "2" }) } } };
        var not = new Predicate { NotMatcher = Header("x-a", new Text { Exact = "1" }) };

        Allows(both, ("x-a", "1"), ("x-b", "2")).ShouldBeTrue();
        Allows(both, ("x-a", "1")).ShouldBeFalse();
        Allows(either, ("x-b", "2")).ShouldBeTrue();
        Allows(either).ShouldBeFalse();
        Allows(not).ShouldBeTrue();
        Allows(not, ("x-a", "1")).ShouldBeFalse();

        static bool Allows(Predicate predicate, params (string, string)[] headers) => Decide(
            List((predicate, Act("a", Decision.Allow))), headers.Aggregate(new TestRequest("/"), (request, header) => request.With(header.Item1, header.Item2))).IsAllowed;
    }

    [Fact]
    public void Trees_look_texts_up_and_the_longest_prefix_counts()
    {
        var exact = new Matcher { MatcherTree = new() { Input = Input(new HttpRequestHeaderMatchInput { HeaderName = "x-team" }), ExactMatchMap = new() { Map = { ["a"] = Act("a", Decision.Allow), ["b"] = Act("b", Decision.Deny) } } } };
        var prefix = new Matcher { MatcherTree = new() { Input = Input(new HttpRequestHeaderMatchInput { HeaderName = ":path" }), PrefixMatchMap = new() { Map = { ["/"] = Act("all", Decision.Allow), ["/admin"] = Act("admin", Decision.Deny) } } } };

        Decide(exact, new TestRequest("/").With("x-team", "a")).ShouldBe((true, "a"));
        Decide(exact, new TestRequest("/").With("x-team", "b")).ShouldBe((false, "b"));
        Decide(exact, new TestRequest("/").With("x-team", "ab")).ShouldBe((false, null));
        Decide(prefix, new TestRequest("/admin/x")).ShouldBe((false, "admin"));
        Decide(prefix, new TestRequest("/x")).ShouldBe((true, "all"));
    }

    [Fact]
    public void A_request_that_can_be_read_in_two_ways_passes_if_it_does_in_both()
    {
        var denied = List((Header("x-role", new Text { Exact = "guest" }), Act("guests", Decision.Deny)));
        denied.OnNoMatch = Act("rest", Decision.Allow);
        var allowed = List((Header("x-role", new Text { Exact = "admin" }), Act("admins", Decision.Allow)));

        Decide(denied, new TestRequest("/").With("x-role", "admin", "guest")).IsAllowed.ShouldBeFalse();
        Decide(allowed, new TestRequest("/").With("x-role", "admin", "guest")).IsAllowed.ShouldBeFalse();
    }

    [Fact]
    public void Connections_are_asked_for_address_port_and_names()
    {
        using var authority = new TestCertificateAuthority();
        using var certificate = authority.Issue("spiffe://cluster.local/ns/shop/sa/frontend");
        var proven = RbacRuleTests.Proven(certificate);
        var plain = new TestRequest().Connection!;

        Allows(Value(new UriSanInput(), new Text { Suffix = "/sa/frontend" }), proven).ShouldBeTrue();
        Allows(Value(new UriSanInput(), new Text { Prefix = "" }), plain).ShouldBeFalse("a certificate is missing");
        Allows(new Predicate { NotMatcher = Value(new UriSanInput(), new Text { Suffix = "/sa/frontend" }) }, plain).ShouldBeTrue();
        Allows(Value(new DestinationPortInput(), new Text { Exact = "9080" }), proven).ShouldBeTrue();
        Allows(Value(new DestinationPortInput(), new Text { Exact = "90" }), proven).ShouldBeFalse();
        Allows(Within(new DirectSourceIPInput(), plain.RemoteEndPoint!.Address.ToString()), plain).ShouldBeTrue();
        Allows(Within(new DirectSourceIPInput(), "203.0.113.0"), plain).ShouldBeFalse();

        static bool Allows(Predicate predicate, ConnectionFacts connection)
            => RbacMatcherCompiler.Compile(List((predicate, Act("a", Decision.Allow))), isHttp: false, "matcher").Decide(new RbacRequest(connection)).IsAllowed;

        static Predicate Within(IMessage input, string address) => new()
        {
            SinglePredicate = new()
            {
                Input = Input(input),
                CustomMatch = new TypedExtensionConfig { Name = "ip", TypedConfig = Any.Pack(new Ip { StatPrefix = "a", CidrRanges = { new Envoy.Config.Core.V3.CidrRange { AddressPrefix = address, PrefixLen = 24 } } }) },
            },
        };
    }

    [Fact]
    public void What_is_not_known_is_refused_with_its_path()
    {
        Refusal(List((Header("x", new Text { Exact = "a" }), new Matcher.Types.OnMatch()))).ShouldBe("matcher.matcher_list.matchers[0].on_match");
        Refusal(List((new Predicate(), Act("a", Decision.Allow)))).ShouldBe("matcher.matcher_list.matchers[0].predicate");
        Refusal(List((Value(new StringValue(), new Text { Exact = "a" }), Act("a", Decision.Allow)))).ShouldBe("matcher.matcher_list.matchers[0].predicate.single_predicate.input");
        Refusal(List((Header("x", new Text()), Act("a", Decision.Allow)))).ShouldBe("matcher.matcher_list.matchers[0].predicate.single_predicate.value_match");
        Refusal(List((Header("x", new Text { Exact = "a" }), Act("", Decision.Allow)))).ShouldBe("matcher.matcher_list.matchers[0].on_match.action.typed_config.name");
        Refusal(new Matcher { OnNoMatch = new() { Action = new() { Name = "a", TypedConfig = Any.Pack(new StringValue()) } } }).ShouldBe("matcher.on_no_match.action");
        Refusal(new Matcher { OnNoMatch = Kept(Act("a", Decision.Allow)) }).ShouldBe("matcher.on_no_match.keep_matching");
        Refusal(new Matcher { MatcherTree = new() { Input = Input(new ServerNameInput()), CustomMatch = new() { Name = "a" } } }).ShouldBe("matcher.matcher_tree.custom_match");
        Refusal(List((Header("x", new Text { Exact = "a" }), Act("a", Decision.Allow))), isHttp: false).ShouldBe("matcher.matcher_list.matchers[0].predicate.single_predicate.input");
        var deep = new Matcher();
        for (var i = 0; i < 40; i++)
        {
            deep = new Matcher { OnNoMatch = new() { Matcher = deep } };
        }

        Refusal(deep).ShouldStartWith("matcher.on_no_match.matcher");

        static Matcher.Types.OnMatch Kept(Matcher.Types.OnMatch match)
        {
            match.KeepMatching = true;
            return match;
        }
    }

    private static string Refusal(Matcher matcher, bool isHttp = true) => Should.Throw<ResourceRejectedException>(() => RbacMatcherCompiler.Compile(matcher, isHttp, "matcher")).Field;

    private static (bool IsAllowed, string? Policy) Decide(Matcher matcher, TestRequest request)
    {
        var verdict = request.Decide(RbacMatcherCompiler.Compile(matcher, isHttp: true, "matcher"));
        return (verdict.IsAllowed, verdict.Policy);
    }

    private static Matcher List(params (Predicate Predicate, Matcher.Types.OnMatch OnMatch)[] matchers) => new()
    {
        MatcherList = new() { Matchers = { matchers.Select(m => new Matcher.Types.MatcherList.Types.FieldMatcher { Predicate = m.Predicate, OnMatch = m.OnMatch }) } },
    };

    private static Predicate Header(string name, Text value) => Value(new HttpRequestHeaderMatchInput { HeaderName = name }, value);

    private static Predicate Value(IMessage input, Text value) => new() { SinglePredicate = new() { Input = Input(input), ValueMatch = value } };

    private static TypedExtensionConfig Input(IMessage input) => new() { Name = "input", TypedConfig = Any.Pack(input) };

    private static Matcher.Types.OnMatch Act(string name, Decision action) => new() { Action = new() { Name = "action", TypedConfig = Any.Pack(new Action { Name = name, Action_ = action }) } };
}
