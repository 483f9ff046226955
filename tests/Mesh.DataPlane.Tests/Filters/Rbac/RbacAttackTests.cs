using System.Net;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Ways around policies that others have taken.</summary>
public sealed class RbacAttackTests : IDisposable
{
    private const string Frontend = "spiffe://cluster.local/ns/shop/sa/frontend";

    private readonly TestCertificateAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    // The engine judges the path that it is given, byte by byte: whoever gives it has normalised it. None of these is /admin, so none may be allowed as such.
    [Theory]
    [InlineData("//admin")]
    [InlineData("/./admin")]
    [InlineData("/%2e/admin")]
    [InlineData("/x/../admin")]
    [InlineData("/admin/")]
    [InlineData("/admin%2f")]
    [InlineData("/admin;x")]
    [InlineData("\\admin")]
    [InlineData("/ADMIN")]
    [InlineData("/admin%00")]
    [InlineData("/adm%69n")]
    public void A_path_that_is_written_otherwise_is_not_the_one_that_is_allowed(string path)
    {
        new TestRequest(path).Passes(RbacRules.Allow(RbacRules.Path("/admin"))).ShouldBeFalse();
        new TestRequest(path).Passes(RbacRules.Allow("""{"not_rule":{"url_path":{"path":{"exact":"/admin"}}}}""")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("/admin?x=/books")]
    [InlineData("/admin#/books")]
    [InlineData("/admin?")]
    public void Query_and_fragment_are_no_part_of_the_path(string path) => new TestRequest(path).Passes(RbacRules.Deny(RbacRules.Path("/admin"))).ShouldBeFalse();

    [Theory]
    [InlineData("admin.example")]
    [InlineData("ADMIN.example")]
    [InlineData("admin.example.")]
    [InlineData("Admin.Example.")]
    public void A_hosts_name_has_one_meaning_however_it_is_written(string authority)
    {
        const string Host = "\"exact_match\":\"admin.example\"";
        new TestRequest(Authority: authority).Passes(RbacRules.Deny(RbacRules.Header(":authority", Host))).ShouldBeFalse();
        new TestRequest(Authority: authority).Passes(RbacRules.Deny(RbacRules.Header("host", Host))).ShouldBeFalse();
        new TestRequest(Authority: authority).Passes(RbacRules.Allow($$$$$"""{"not_rule":{{{{{RbacRules.Header(":authority", Host)}}}}}}""")).ShouldBeFalse();
        new TestRequest(Authority: authority).Passes(RbacRules.Allow(RbacRules.Header(":authority", Host + ",\"invert_match\":true"))).ShouldBeFalse();
    }

    [Theory]
    [InlineData("admin.example:8080")]
    [InlineData("ADMIN.example:8080")]
    [InlineData("admin.example.:8080")]
    public void A_port_does_not_hide_a_host_whose_rule_is_written_as_Istio_writes_it(string authority)
    {
        const string Rule = """{"or_rules":{"rules":[{"header":{"name":":authority","string_match":{"exact":"admin.example","ignore_case":true}}},{"header":{"name":":authority","string_match":{"prefix":"admin.example:","ignore_case":true}}}]}}""";
        new TestRequest(Authority: authority).Passes(RbacRules.Deny(Rule)).ShouldBeFalse();
    }

    [Fact]
    public void A_strange_spelling_of_a_host_allows_nothing_that_the_plain_one_would_not()
    {
        var allow = RbacRules.Allow(RbacRules.Header(":authority", "\"exact_match\":\"api.example\""));

        new TestRequest(Authority: "api.example").Passes(allow).ShouldBeTrue();
        new TestRequest(Authority: "API.example").Passes(allow).ShouldBeFalse();
        new TestRequest(Authority: "api.example.").Passes(allow).ShouldBeFalse();
        new TestRequest(Authority: "[::1]").Passes(RbacRules.Allow(RbacRules.Header(":authority", "\"exact_match\":\"[::1]\""))).ShouldBeTrue();
    }

    [Fact]
    public void HEAD_is_a_GET_to_those_who_forbid_it_and_not_to_those_who_allow_it()
    {
        const string Get = "\"exact_match\":\"GET\"";
        new TestRequest(Method: "HEAD").Passes(RbacRules.Deny(RbacRules.Header(":method", Get))).ShouldBeFalse();
        new TestRequest(Method: "HEAD").Passes(RbacRules.Allow(RbacRules.Header(":method", Get))).ShouldBeFalse();
        new TestRequest(Method: "HEAD").Passes(RbacRules.Allow(RbacRules.Header(":method", Get + ",\"invert_match\":true"))).ShouldBeFalse();
        new TestRequest(Method: "HEAD").Passes(RbacRules.Allow(RbacRules.Header(":method", "\"exact_match\":\"HEAD\""))).ShouldBeTrue();
        new TestRequest(Method: "POST").Passes(RbacRules.Deny(RbacRules.Header(":method", Get))).ShouldBeTrue();
    }

    [Theory]
    [InlineData("banned", "ok")]
    [InlineData("ok", "banned")]
    [InlineData("ok", "banned", "ok")]
    public void A_header_that_is_sent_twice_hides_nothing_from_those_who_forbid(params string[] lines)
    {
        var request = new TestRequest().With("x-role", lines);
        foreach (var matcher in new[] { "\"exact_match\":\"banned\"", "\"prefix_match\":\"banned\"", "\"suffix_match\":\"banned\"", "\"safe_regex_match\":{\"regex\":\"banned\"}" })
        {
            request.Passes(RbacRules.Deny(RbacRules.Header("x-role", matcher))).ShouldBeFalse(matcher);
            request.Passes(RbacRules.Allow($$$$$"""{"not_rule":{{{{{RbacRules.Header("x-role", matcher)}}}}}}""")).ShouldBeFalse(matcher);
        }
    }

    [Fact]
    public void A_header_that_is_sent_twice_is_seen_joined_as_well()
        => new TestRequest().With("x-role", "a", "b").Passes(RbacRules.Deny(RbacRules.Header("x-role", "\"exact_match\":\"a, b\""))).ShouldBeFalse();

    [Theory]
    [InlineData("admin", "user")]
    [InlineData("user", "admin")]
    public void A_header_that_is_sent_twice_allows_only_what_each_line_would(params string[] lines)
    {
        var request = new TestRequest().With("x-role", lines);
        foreach (var matcher in new[] { "\"exact_match\":\"admin\"", "\"prefix_match\":\"admin\"", "\"suffix_match\":\"admin\"", "\"contains_match\":\"admin\"", "\"exact_match\":\"user\",\"invert_match\":true" })
        {
            request.Passes(RbacRules.Allow(RbacRules.Header("x-role", matcher))).ShouldBeFalse(matcher);
        }

        new TestRequest().With("x-role", "admin", "admin").Passes(RbacRules.Allow(RbacRules.Header("x-role", "\"exact_match\":\"admin\""))).ShouldBeTrue();
    }

    [Fact]
    public void A_header_that_is_absent_is_no_other_value()
    {
        // notValues in Istio's form: the header is not x. Without the header, DENY does not apply and ALLOW does not either, as in Envoy.
        var inverted = RbacRules.Header("x-role", "\"exact_match\":\"x\",\"invert_match\":true");
        new TestRequest().Passes(RbacRules.Allow(inverted)).ShouldBeFalse();
        new TestRequest().Passes(RbacRules.Deny(inverted)).ShouldBeTrue();

        var asEmpty = RbacRules.Header("x-role", "\"exact_match\":\"x\",\"invert_match\":true,\"treat_missing_header_as_empty\":true");
        new TestRequest().Passes(RbacRules.Allow(asEmpty)).ShouldBeTrue();
        new TestRequest().Passes(RbacRules.Deny(asEmpty)).ShouldBeFalse();

        var not = $$$$$"""{"not_rule":{{{{{RbacRules.Header("x-role", "\"exact_match\":\"x\"")}}}}}}""";
        new TestRequest().Passes(RbacRules.Allow(not)).ShouldBeTrue();
        new TestRequest().Passes(RbacRules.Deny(not)).ShouldBeFalse();

        // Such a rule must be found without the header, too.
        new TestRequest().Passes(RbacRules.Deny(RbacRules.Header("x-role", "\"exact_match\":\"\",\"treat_missing_header_as_empty\":true"))).ShouldBeFalse();
    }

    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("::ffff:a01:203")]
    public void An_IPv4_address_is_the_same_in_the_clothes_of_IPv6(string address)
    {
        var request = From(address);
        request.Passes(RbacRules.Deny(principal: """{"direct_remote_ip":{"address_prefix":"10.0.0.0","prefix_len":8}}""")).ShouldBeFalse();
        request.Passes(RbacRules.Deny(principal: """{"remote_ip":{"address_prefix":"::ffff:10.0.0.0","prefix_len":104}}""")).ShouldBeFalse();
        request.Passes(RbacRules.Allow(principal: """{"direct_remote_ip":{"address_prefix":"::","prefix_len":0}}""")).ShouldBeFalse();
        request.Passes(RbacRules.Allow(principal: """{"direct_remote_ip":{"address_prefix":"10.1.2.4","prefix_len":32}}""")).ShouldBeFalse();
    }

    [Fact]
    public void An_IPv6_address_is_in_no_range_of_IPv4()
    {
        From("2001:db8::1").Passes(RbacRules.Allow(principal: """{"remote_ip":{"address_prefix":"0.0.0.0","prefix_len":0}}""")).ShouldBeFalse();
        From("2001:db8::1").Passes(RbacRules.Allow(principal: """{"remote_ip":{"address_prefix":"2001:db8::ffff","prefix_len":32}}""")).ShouldBeTrue();
        From("fe80::1%3").Passes(RbacRules.Deny(principal: """{"remote_ip":{"address_prefix":"fe80::","prefix_len":10}}""")).ShouldBeFalse();
    }

    [Fact]
    public void A_second_identity_in_a_certificate_gains_nothing()
    {
        using var two = _authority.Issue("spiffe://cluster.local/ns/evil/sa/evil", Frontend);
        var request = new TestRequest { Connection = RbacRuleTests.Proven(two) };
        var exact = RbacRules.Peer($$$$$"""{"exact":"{{{{{Frontend}}}}}"}""");

        request.Passes(RbacRules.Allow(principal: exact)).ShouldBeFalse();
        request.Passes(RbacRules.Deny(principal: exact)).ShouldBeFalse();
        request.Passes(RbacRules.Allow(principal: $$$$$"""{"not_id":{{{{{exact}}}}}}""")).ShouldBeFalse();
        request.Passes(RbacRules.Allow(principal: """{"filter_state":{"key":"io.istio.peer_principal","string_match":{"prefix":"spiffe://"}}}""")).ShouldBeFalse();
    }

    [Fact]
    public void A_subject_that_looks_like_an_identity_is_none()
    {
        using var lookalike = _authority.Issue(Frontend, "spiffe://cluster.local/ns/evil/sa/evil");
        using var evil = _authority.Issue("evil.example");
        var namespaces = RbacRules.Peer("""{"safe_regex":{"regex":".*/ns/shop/.*"}}""");

        new TestRequest { Connection = RbacRuleTests.Proven(lookalike) }.Passes(RbacRules.Allow(principal: namespaces)).ShouldBeFalse();
        new TestRequest { Connection = RbacRuleTests.Proven(evil) }.Passes(RbacRules.Allow(principal: namespaces)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("/admin/{*}/x", "/admin/a|b/x")]
    [InlineData("/admin/{**}", "/admin/a\"b/ä")]
    public void A_character_that_may_not_stand_in_a_path_hides_nothing_from_a_template(string istio, string path)
    {
        var template = istio.Replace("{*}", "*", StringComparison.Ordinal).Replace("{**}", "**", StringComparison.Ordinal);
        new TestRequest(path).Passes(RbacRules.Deny(RbacRules.Template(template))).ShouldBeFalse();
        new TestRequest(path).Passes(RbacRules.Allow(RbacRules.Template(template))).ShouldBeFalse();
    }

    private static TestRequest From(string address)
    {
        var from = IPAddress.Parse(address);
        return new TestRequest { Connection = new ConnectionFacts { RemoteEndPoint = new IPEndPoint(from, 1) }, RemoteAddress = from };
    }
}
