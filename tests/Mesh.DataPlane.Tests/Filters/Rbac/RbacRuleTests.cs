using System.Net;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>What each permission and principal asks.</summary>
public sealed class RbacRuleTests : IDisposable
{
    private const string Frontend = "spiffe://cluster.local/ns/shop/sa/frontend";

    private readonly TestCertificateAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData("""{"any":true}""", true)]
    [InlineData("""{"not_rule":{"any":true}}""", false)]
    [InlineData("""{"and_rules":{"rules":[{"any":true},{"destination_port":9080}]}}""", true)]
    [InlineData("""{"and_rules":{"rules":[{"any":true},{"destination_port":9081}]}}""", false)]
    [InlineData("""{"or_rules":{"rules":[{"destination_port":9081},{"destination_port":9080}]}}""", true)]
    [InlineData("""{"or_rules":{"rules":[{"destination_port":9081},{"destination_port":9082}]}}""", false)]
    [InlineData("""{"destination_port_range":{"start":9080,"end":9081}}""", true)]
    [InlineData("""{"destination_port_range":{"start":9079,"end":9080}}""", false)]
    [InlineData("""{"destination_ip":{"address_prefix":"10.9.0.0","prefix_len":16}}""", true)]
    [InlineData("""{"destination_ip":{"address_prefix":"10.1.0.0","prefix_len":16}}""", false)]
    [InlineData("""{"requested_server_name":{"exact":""}}""", true)]
    [InlineData("""{"requested_server_name":{"exact":"reviews"}}""", false)]
    [InlineData("""{"url_path":{"path":{"exact":"/books/1"}}}""", true)]
    [InlineData("""{"url_path":{"path":{"exact":"/books/1?page=2"}}}""", false)]
    [InlineData("""{"url_path":{"path":{"prefix":"/books/"}}}""", true)]
    [InlineData("""{"url_path":{"path":{"prefix":"/BOOKS/","ignore_case":true}}}""", true)]
    [InlineData("""{"url_path":{"path":{"suffix":"/1"}}}""", true)]
    [InlineData("""{"url_path":{"path":{"safe_regex":{"regex":"/books/[0-9]+"}}}}""", true)]
    [InlineData("""{"header":{"name":":path","exact_match":"/books/1?page=2"}}""", true)]
    [InlineData("""{"header":{"name":":method","exact_match":"GET"}}""", true)]
    [InlineData("""{"header":{"name":":authority","exact_match":"reviews:9080"}}""", true)]
    [InlineData("""{"header":{"name":"host","prefix_match":"reviews"}}""", true)]
    [InlineData("""{"header":{"name":"x-tier","exact_match":"gold"}}""", true)]
    [InlineData("""{"header":{"name":"X-Tier","exact_match":"gold","invert_match":true}}""", false)]
    [InlineData("""{"header":{"name":"x-none","exact_match":"gold","invert_match":true}}""", false)]
    [InlineData("""{"header":{"name":"x-none","exact_match":"gold","invert_match":true,"treat_missing_header_as_empty":true}}""", true)]
    [InlineData("""{"header":{"name":"x-none","present_match":false}}""", true)]
    [InlineData("""{"header":{"name":"x-none"}}""", false)]
    public void Permissions(string permission, bool expected)
    {
        var request = new TestRequest("/books/1?page=2").With("x-tier", "gold");

        request.Passes(RbacRules.Allow(permission)).ShouldBe(expected);
        request.Passes(RbacRules.Deny(permission)).ShouldBe(!expected);
        request.Passes(RbacRules.Allow($$$$$"""{"not_rule":{{{{{permission}}}}}}""")).ShouldBe(!expected);
    }

    [Theory]
    [InlineData("""{"any":true}""", true)]
    [InlineData("""{"not_id":{"any":true}}""", false)]
    [InlineData("""{"and_ids":{"ids":[{"any":true},{"remote_ip":{"address_prefix":"192.0.2.0","prefix_len":24}}]}}""", true)]
    [InlineData("""{"or_ids":{"ids":[{"source_ip":{"address_prefix":"192.0.2.0","prefix_len":24}},{"direct_remote_ip":{"address_prefix":"192.0.2.0","prefix_len":24}}]}}""", false)]
    [InlineData("""{"direct_remote_ip":{"address_prefix":"10.1.2.3","prefix_len":32}}""", true)]
    [InlineData("""{"source_ip":{"address_prefix":"10.1.2.3","prefix_len":32}}""", true)]
    [InlineData("""{"remote_ip":{"address_prefix":"10.1.2.3","prefix_len":32}}""", false)]
    [InlineData("""{"remote_ip":{"address_prefix":"0.0.0.0"}}""", true)]
    [InlineData("""{"authenticated":{}}""", true)]
    [InlineData("""{"authenticated":{"principal_name":{"exact":"spiffe://cluster.local/ns/shop/sa/frontend"}}}""", true)]
    [InlineData("""{"authenticated":{"principal_name":{"prefix":"spiffe://cluster.local/ns/shop/"}}}""", true)]
    [InlineData("""{"authenticated":{"principal_name":{"safe_regex":{"regex":".*/ns/shop/.*"}}}}""", true)]
    [InlineData("""{"authenticated":{"principal_name":{"exact":"spiffe://cluster.local/ns/shop/sa/other"}}}""", false)]
    [InlineData("""{"filter_state":{"key":"io.istio.peer_principal","string_match":{"exact":"spiffe://cluster.local/ns/shop/sa/frontend"}}}""", true)]
    [InlineData("""{"filter_state":{"key":"io.istio.peer_principal","string_match":{"exact":"frontend"}}}""", false)]
    [InlineData("""{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config","any_validated_client_certificate":true}}}""", true)]
    [InlineData("""{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config","san_matcher":{"san_type":"URI","matcher":{"suffix":"/frontend"}}}}}""", true)]
    [InlineData("""{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config","san_matcher":{"san_type":"DNS","matcher":{"suffix":"/frontend"}}}}}""", false)]
    [InlineData("""{"header":{"name":"x-tier","exact_match":"gold"}}""", true)]
    [InlineData("""{"url_path":{"path":{"exact":"/"}}}""", true)]
    public void Principals(string principal, bool expected)
    {
        using var certificate = _authority.Issue(Frontend);
        var request = new TestRequest { Connection = Proven(certificate), RemoteAddress = IPAddress.Parse("192.0.2.7") }.With("x-tier", "gold");

        request.Passes(RbacRules.Allow(principal: principal)).ShouldBe(expected);
        request.Passes(RbacRules.Deny(principal: principal)).ShouldBe(!expected);
        request.Passes(RbacRules.Allow(principal: $$$$$"""{"not_id":{{{{{principal}}}}}}""")).ShouldBe(!expected);
    }

    [Fact]
    public void Names_of_the_peer_are_its_URIs_then_its_DNS_names_then_its_subject()
    {
        using var both = _authority.Issue(Frontend, "frontend.example");
        using var dns = _authority.Issue("a.example", "b.example");
        using var none = _authority.Issue("10.0.0.1");
        var byDns = RbacRules.Allow(principal: RbacRules.Peer("""{"exact":"b.example"}"""));
        var bySubject = RbacRules.Allow(principal: RbacRules.Peer("""{"exact":"CN=10.0.0.1"}"""));

        new TestRequest { Connection = Proven(dns) }.Passes(byDns).ShouldBeTrue();
        new TestRequest { Connection = Proven(none) }.Passes(bySubject).ShouldBeTrue();

        // A name of a lesser kind allows nothing, and forbids as it does with Envoy.
        new TestRequest { Connection = Proven(both) }.Passes(RbacRules.Allow(principal: RbacRules.Peer("""{"exact":"frontend.example"}"""))).ShouldBeFalse();
        new TestRequest { Connection = Proven(both) }.Passes(RbacRules.Deny(principal: RbacRules.Peer("""{"exact":"frontend.example"}"""))).ShouldBeFalse();
    }

    [Fact]
    public void Nobody_is_authenticated_without_a_certificate()
    {
        var plain = new TestRequest();
        var tls = new TestRequest { Connection = new ConnectionFacts { IsTls = true } };
        foreach (var principal in new[] { """{"authenticated":{}}""", RbacRules.Peer("""{"safe_regex":{"regex":".*"}}""") })
        {
            plain.Passes(RbacRules.Allow(principal: principal)).ShouldBeFalse();
            tls.Passes(RbacRules.Allow(principal: principal)).ShouldBeFalse();
            plain.Passes(RbacRules.Deny(principal: principal)).ShouldBeTrue();

            // Envoy takes TLS for authentication: whoever forbids by it forbids here, too.
            tls.Passes(RbacRules.Deny(principal: principal)).ShouldBeFalse();
        }
    }

    [Fact]
    public void In_process_there_is_no_connection_to_ask_about()
    {
        var request = new TestRequest { Connection = null, RemoteAddress = null };
        foreach (var permission in new[] { """{"destination_port":9080}""", """{"destination_ip":{"address_prefix":"0.0.0.0"}}""" })
        {
            request.Passes(RbacRules.Allow(permission)).ShouldBeFalse();
        }

        foreach (var principal in new[] { """{"authenticated":{}}""", """{"remote_ip":{"address_prefix":"0.0.0.0"}}""", """{"direct_remote_ip":{"address_prefix":"::"}}""" })
        {
            request.Passes(RbacRules.Allow(principal: principal)).ShouldBeFalse();
        }
    }

    [Fact]
    public void A_policy_is_one_of_its_permissions_for_one_of_its_principals()
    {
        var engine = RbacRules.Allow(RbacRules.Path("/a") + "," + RbacRules.Path("/b"), RbacRules.Header("x", "\"exact_match\":\"1\"") + "," + RbacRules.Header("y", "\"exact_match\":\"1\""));

        new TestRequest("/a").With("y", "1").Passes(engine).ShouldBeTrue();
        new TestRequest("/b").With("x", "1").Passes(engine).ShouldBeTrue();
        new TestRequest("/b").Passes(engine).ShouldBeFalse();
        new TestRequest("/c").With("x", "1").Passes(engine).ShouldBeFalse();
    }

    [Fact]
    public void The_first_by_name_of_those_that_match_is_told()
    {
        var message = RbacRules.One("DENY");
        foreach (var (name, permission) in new[] { ("b", RbacRules.Any), ("a", RbacRules.Path("/a")), ("\u00e9", RbacRules.Path("/x")), ("Z", RbacRules.Path("/z")) })
        {
            message.Policies[name] = RbacRules.One("DENY", permission).Policies["p"].Clone();
        }

        message.Policies.Remove("p");
        var engine = RbacRules.Compile(message);

        new TestRequest("/a").Decide(engine).ShouldBe(new(false, "a"));
        new TestRequest("/b").Decide(engine).ShouldBe(new(false, "b"));
        new TestRequest("/x").Decide(engine).Policy.ShouldBe("b");
        new TestRequest("/z").Decide(engine).Policy.ShouldBe("Z");
    }

    [Fact]
    public void Without_a_policy_nothing_is_allowed_and_nothing_forbidden()
    {
        new TestRequest().Decide(RbacRules.Compile(new Envoy.Config.Rbac.V3.RBAC())).ShouldBe(new(false, null));
        new TestRequest().Decide(RbacRules.Compile(new Envoy.Config.Rbac.V3.RBAC { Action = Envoy.Config.Rbac.V3.RBAC.Types.Action.Deny })).ShouldBe(new(true, null));
    }

    [Fact]
    public void What_is_to_be_logged_passes_whether_it_matches_or_not()
    {
        var engine = RbacRules.Compile(RbacRules.One("LOG", RbacRules.Path("/a")));

        new TestRequest("/a").Decide(engine).ShouldBe(new(true, "p", IsLogged: true));
        new TestRequest("/b").Decide(engine).ShouldBe(new(true, null, IsLogged: false));
    }

    internal static ConnectionFacts Proven(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate) => new()
    {
        IsTls = true,
        PeerCertificate = certificate,
        RemoteEndPoint = new IPEndPoint(IPAddress.Parse("10.1.2.3"), 40000),
        LocalEndPoint = new IPEndPoint(IPAddress.Parse("10.9.9.9"), 9080),
    };
}
