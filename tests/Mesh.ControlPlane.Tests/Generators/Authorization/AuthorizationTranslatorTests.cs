using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators.Authorization;
using Rbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.ControlPlane.Tests.Generators.Authorization;

/// <summary>The shapes and names are those of Istio's own translation, which dashboards and other data planes know.</summary>
public class AuthorizationTranslatorTests
{
    [Theory]
    [InlineData("principals", """{"authenticated":{"principal_name":{"exact":"spiffe://cluster.local/ns/a/sa/b"}}}""", "cluster.local/ns/a/sa/b")]
    [InlineData("principals", """{"authenticated":{"principal_name":{"prefix":"spiffe://cluster.local/ns/a/"}}}""", "cluster.local/ns/a/*")]
    [InlineData("principals", """{"authenticated":{"principal_name":{"safe_regex":{"regex":"spiffe://.*/sa/b\\.c"}}}}""", "*/sa/b.c")]
    [InlineData("principals", """{"authenticated":{"principal_name":{"safe_regex":{"regex":".+"}}}}""", "*")]
    [InlineData("namespaces", """{"authenticated":{"principal_name":{"safe_regex":{"regex":".*/ns/a\\.b/.*"}}}}""", "a.b")]
    [InlineData("namespaces", """{"authenticated":{"principal_name":{"safe_regex":{"regex":".*/ns/prod-.*/.*"}}}}""", "prod-*")]
    [InlineData("serviceAccounts", """{"authenticated":{"principal_name":{"safe_regex":{"regex":"spiffe://.+/ns/default/(.+/|)sa/web(/.+)?"}}}}""", "web")]
    [InlineData("serviceAccounts", """{"authenticated":{"principal_name":{"safe_regex":{"regex":"spiffe://.+/ns/b/(.+/|)sa/web\\.1(/.+)?"}}}}""", "b/web.1")]
    [InlineData("trustDomains", """{"authenticated":{"principal_name":{"prefix":"spiffe://td/"}}}""", "td")]
    [InlineData("trustDomains", """{"authenticated":{"principal_name":{"safe_regex":{"regex":"spiffe://[^/]*\\.local/.*"}}}}""", "*.local")]
    [InlineData("trustDomains", """{"authenticated":{"principal_name":{"prefix":"spiffe://"}}}""", "*")]
    [InlineData("ipBlocks", """{"direct_remote_ip":{"address_prefix":"10.1.2.3","prefix_len":32}}""", "10.1.2.3")]
    [InlineData("ipBlocks", """{"direct_remote_ip":{"address_prefix":"2001:db8::","prefix_len":32}}""", "2001:db8::/32")]
    [InlineData("remoteIpBlocks", """{"remote_ip":{"address_prefix":"10.1.0.0","prefix_len":16}}""", "10.1.0.0/16")]
    public void A_source_is_one_of_some_or_none_of_others(string field, string expected, string value)
    {
        var not = $"not{char.ToUpperInvariant(field[0])}{field[1..]}";

        Principal($$$$$$"""{"from":[{"source":{"{{{{{{field}}}}}}":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_ids":{"ids":[{"or_ids":{"ids":[{{{{{{expected}}}}}}]}}]}}"""));
        Principal($$$$$$"""{"from":[{"source":{"{{{{{{not}}}}}}":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_ids":{"ids":[{"not_id":{"or_ids":{"ids":[{{{{{{expected}}}}}}]}}}]}}"""));
    }

    [Theory]
    [InlineData("issuer/subject", """{"exact":"issuer"}""", """{"exact":"subject"}""")]
    [InlineData("https://a/b/subject", """{"exact":"https://a/b"}""", """{"exact":"subject"}""")]
    [InlineData("issuer/*", """{"exact":"issuer"}""", """{"safe_regex":{"regex":".+"}}""")]
    [InlineData("issuer/s*", """{"exact":"issuer"}""", """{"prefix":"s"}""")]
    [InlineData("*/subject", """{"safe_regex":{"regex":".+"}}""", """{"exact":"subject"}""")]
    [InlineData("*r/subject", """{"suffix":"r"}""", """{"exact":"subject"}""")]
    [InlineData("iss*", """{"prefix":"iss"}""", """{"safe_regex":{"regex":".+"}}""")]
    [InlineData("*ject", """{"safe_regex":{"regex":".+"}}""", """{"suffix":"ject"}""")]
    [InlineData("*", """{"safe_regex":{"regex":".+"}}""", """{"safe_regex":{"regex":".+"}}""")]
    public void A_request_principal_is_the_issuer_and_the_subject_of_its_token(string value, string iss, string sub)
    {
        var expected = $$$$$$"""
            {"and_ids":{"ids":[
              {"metadata":{"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"iss"}],"value":{"string_match":{{{{{{iss}}}}}}}}},
              {"metadata":{"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"sub"}],"value":{"string_match":{{{{{{sub}}}}}}}}}]}}
            """;

        Principal($$$$$$"""{"from":[{"source":{"requestPrincipals":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_ids":{"ids":[{{{{{{expected}}}}}}]}}"""));
        Principal($$$$$$"""{"from":[{"source":{"notRequestPrincipals":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_ids":{"ids":[{"not_id":{{{{{{expected}}}}}}}]}}"""));
    }

    [Theory]
    [InlineData("request.auth.audiences", """[{"key":"payload"},{"key":"aud"}]""")]
    [InlineData("request.auth.presenter", """[{"key":"payload"},{"key":"azp"}]""")]
    [InlineData("request.auth.claims[groups]", """[{"key":"payload"},{"key":"groups"}]""")]
    [InlineData("request.auth.claims[realm][roles]", """[{"key":"payload"},{"key":"realm"},{"key":"roles"}]""")]
    public void A_claim_is_one_of_the_values_or_a_list_with_one_of_them(string key, string path)
    {
        const string Any = """{"or_match":{"value_matchers":[{"string_match":{"exact":"a"}},{"string_match":{"prefix":"b"}}]}}""";

        Principal($$$$$$"""{"when":[{"key":"{{{{{{key}}}}}}","values":["a","b*"]}]}""").ShouldBe(Json($$$$$$"""
            {"and_ids":{"ids":[{"metadata":{"filter":"envoy.filters.http.jwt_authn","path":{{{{{{path}}}}}},"value":{"or_match":{"value_matchers":[{"list_match":{"one_of":{{{{{{Any}}}}}}}},{{{{{{Any}}}}}}]}}}}]}}
            """));
    }

    [Theory]
    [InlineData("source.ip", "10.0.0.0/8", """{"direct_remote_ip":{"address_prefix":"10.0.0.0","prefix_len":8}}""")]
    [InlineData("remote.ip", "10.0.0.1", """{"remote_ip":{"address_prefix":"10.0.0.1","prefix_len":32}}""")]
    [InlineData("source.namespace", "a", """{"authenticated":{"principal_name":{"safe_regex":{"regex":".*/ns/a/.*"}}}}""")]
    [InlineData("source.principal", "td/ns/a/sa/b", """{"authenticated":{"principal_name":{"exact":"spiffe://td/ns/a/sa/b"}}}""")]
    [InlineData("source.serviceAccount", "b", """{"authenticated":{"principal_name":{"safe_regex":{"regex":"spiffe://.+/ns/default/(.+/|)sa/b(/.+)?"}}}}""")]
    [InlineData("source.trustDomain", "td", """{"authenticated":{"principal_name":{"prefix":"spiffe://td/"}}}""")]
    [InlineData("request.headers[X-Token]", "abc*", """{"header":{"name":"X-Token","string_match":{"prefix":"abc"}}}""")]
    [InlineData("request.headers[x-token]", "*", """{"header":{"name":"x-token","present_match":true}}""")]
    public void A_condition_on_who_it_is_is_a_principal(string key, string value, string expected)
        => Principal($$$$$$"""{"when":[{"key":"{{{{{{key}}}}}}","notValues":["{{{{{{value}}}}}}"]}]}""").ShouldBe(Json($$$$$$"""{"and_ids":{"ids":[{"not_id":{"or_ids":{"ids":[{{{{{{expected}}}}}}]}}}]}}"""));

    [Theory]
    [InlineData("hosts", "Example.com", """{"header":{"name":":authority","string_match":{"exact":"Example.com","ignore_case":true}}}""")]
    [InlineData("hosts", "example.com:*", """{"header":{"name":":authority","string_match":{"prefix":"example.com:","ignore_case":true}}}""")]
    [InlineData("hosts", "*:8080", """{"header":{"name":":authority","string_match":{"suffix":":8080","ignore_case":true}}}""")]
    [InlineData("hosts", "*", """{"header":{"name":":authority","present_match":true}}""")]
    [InlineData("methods", "GET", """{"header":{"name":":method","string_match":{"exact":"GET"}}}""")]
    [InlineData("paths", "/a", """{"url_path":{"path":{"exact":"/a"}}}""")]
    [InlineData("paths", "/a*", """{"url_path":{"path":{"prefix":"/a"}}}""")]
    [InlineData("paths", "*.html", """{"url_path":{"path":{"suffix":".html"}}}""")]
    [InlineData("paths", "*", """{"url_path":{"path":{"safe_regex":{"regex":".+"}}}}""")]
    [InlineData("paths", "/a/{*}/b/{**}", """{"uri_template":{"name":"uri-template","typed_config":{"@type":"type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig","path_template":"/a/*/b/**"}}}""")]
    [InlineData("ports", "8080", """{"destination_port":8080}""")]
    public void An_operation_is_one_of_some_or_none_of_others(string field, string value, string expected)
    {
        var not = $"not{char.ToUpperInvariant(field[0])}{field[1..]}";

        Permission($$$$$$"""{"to":[{"operation":{"{{{{{{field}}}}}}":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_rules":{"rules":[{"or_rules":{"rules":[{{{{{{expected}}}}}}]}}]}}"""));
        Permission($$$$$$"""{"to":[{"operation":{"{{{{{{not}}}}}}":["{{{{{{value}}}}}}"]}}]}""").ShouldBe(Json($$$$$$"""{"and_rules":{"rules":[{"not_rule":{"or_rules":{"rules":[{{{{{{expected}}}}}}]}}}]}}"""));
    }

    [Theory]
    [InlineData("destination.ip", "10.0.0.0/8", """{"or_rules":{"rules":[{"destination_ip":{"address_prefix":"10.0.0.0","prefix_len":8}}]}}""")]
    [InlineData("destination.port", "80", """{"or_rules":{"rules":[{"destination_port":80}]}}""")]
    [InlineData("connection.sni", "*.example.com", """{"or_rules":{"rules":[{"requested_server_name":{"suffix":".example.com"}}]}}""")]
    [InlineData("experimental.envoy.filters.a.b[c]", "d", """{"metadata":{"filter":"envoy.filters.a.b","path":[{"key":"c"}],"value":{"string_match":{"exact":"d"}}}}""")]
    [InlineData("experimental.envoy.filters.a.b[c]", "[d]", """{"metadata":{"filter":"envoy.filters.a.b","path":[{"key":"c"}],"value":{"list_match":{"one_of":{"string_match":{"exact":"d"}}}}}}""")]
    public void A_condition_on_what_is_done_is_a_permission(string key, string value, string expected)
        => Permission($$$$$$"""{"when":[{"key":"{{{{{{key}}}}}}","values":["{{{{{{value}}}}}}"]}]}""").ShouldBe(Json($$$$$$"""{"and_rules":{"rules":[{{{{{{expected}}}}}}]}}"""));

    [Fact]
    public void Sources_and_operations_are_alternatives_and_conditions_hold_for_each()
    {
        var policy = Filters("""{"rules":[{"from":[{"source":{"namespaces":["a"],"ipBlocks":["10.0.0.1"]}},{"source":{"namespaces":["b"]}}],"to":[{"operation":{"methods":["GET"]}},{"operation":{"methods":["HEAD"]}}],"when":[{"key":"remote.ip","values":["10.0.0.2"]},{"key":"destination.port","values":["80"]}]}]}""")
            .Single().Rules.Policies["ns[default]-policy[p0]-rule[0]"];

        policy.Permissions.Count.ShouldBe(2);
        policy.Permissions.ShouldAllBe(permission => permission.AndRules.Rules.Count == 2);
        policy.Principals.Select(principal => principal.AndIds.Ids.Count).ShouldBe([3, 2]);
    }

    [Fact]
    public void A_policy_without_rules_allows_nothing_and_a_rule_without_conditions_is_for_everyone()
    {
        Principal("{}").ShouldBe(Json("""{"and_ids":{"ids":[{"any":true}]}}"""));
        Permission("{}").ShouldBe(Json("""{"and_rules":{"rules":[{"any":true}]}}"""));
        TestMesh.ShouldBeJson(Filters("{}").Single(), """
            {"rules":{"policies":{"ns[default]-policy[p0]-rule[0]":{"permissions":[{"not_rule":{"any":true}}],"principals":[{"not_id":{"any":true}}]}}},
             "shadow_rules_stat_prefix":"istio_dry_run_allow_"}
            """);
    }

    [Fact]
    public void Logging_comes_before_denying_and_denying_before_allowing()
        => Filters("""{"rules":[{}]}""", """{"action":"DENY","rules":[{}]}""", """{"action":"AUDIT","rules":[{}]}""").Select(filter => filter.Rules.Action.ToString()).ShouldBe(["Log", "Deny", "Allow"]);

    [Fact]
    public void A_policy_on_trial_is_a_shadow_of_the_others()
    {
        var onTrial = TestDocuments.AuthorizationPolicy("trial", """{"action":"DENY","rules":[{}]}""") with { Annotations = new Dictionary<string, string> { ["istio.io/dry-run"] = "true" } };
        var enforced = TestDocuments.AuthorizationPolicy("real", """{"action":"DENY","rules":[{}]}""") with { Annotations = new Dictionary<string, string> { ["istio.io/dry-run"] = "yes" } };

        TestMesh.ShouldBeJson(Of(onTrial).Single(), """
            {"shadow_rules":{"action":"DENY","policies":{"ns[default]-policy[trial]-rule[0]":{"permissions":[{"and_rules":{"rules":[{"any":true}]}}],"principals":[{"and_ids":{"ids":[{"any":true}]}}]}}},
             "shadow_rules_stat_prefix":"istio_dry_run_deny_"}
            """);
        var both = Of(onTrial, enforced).Single();
        both.Rules.Policies.Keys.ShouldBe(["ns[default]-policy[real]-rule[0]"]);
        both.ShadowRules.Policies.Keys.ShouldBe(["ns[default]-policy[trial]-rule[0]"]);
    }

    [Fact]
    public void Of_a_connection_a_rule_that_allows_is_dropped_where_it_asks_for_requests_and_one_that_denies_is_widened()
    {
        const string Rules = """ "rules":[{"to":[{"operation":{"methods":["GET"],"ports":["80"]}}]},{"from":[{"source":{"namespaces":["a"],"notRequestPrincipals":["*"]}}]},{"from":[{"source":{"namespaces":["b"]}}]}]""";
        var mesh = new TestMesh(
            TestDocuments.AuthorizationPolicy("allow", "{" + Rules + "}"),
            TestDocuments.AuthorizationPolicy("deny", $$$$$$"""{"action":"DENY",{{{{{{Rules}}}}}}}"""),
            TestDocuments.AuthorizationPolicy("only-requests", """{"action":"DENY","rules":[{"when":[{"key":"request.headers[x]","values":["a"]}]}]}"""));

        var filters = Translator(mesh).NetworkFilters().Select(filter => filter.TypedConfig.Unpack<Envoy.Extensions.Filters.Network.Rbac.V3.RBAC>()).ToArray();

        filters.Select(filter => filter.StatPrefix).ShouldBe(["tcp.", "tcp."]);
        filters[1].Rules.Policies.Keys.ShouldBe(["ns[default]-policy[allow]-rule[2]"]);
        filters[0].Rules.Policies.Keys.Order(StringComparer.Ordinal).ShouldBe(["ns[default]-policy[deny]-rule[0]", "ns[default]-policy[deny]-rule[1]", "ns[default]-policy[deny]-rule[2]", "ns[default]-policy[only-requests]-rule[0]"]);
        Json(TestMesh.Json(filters[0].Rules.Policies["ns[default]-policy[deny]-rule[0]"].Permissions.Single())).ShouldBe(Json("""{"and_rules":{"rules":[{"or_rules":{"rules":[{"destination_port":80}]}}]}}"""));
        Json(TestMesh.Json(filters[0].Rules.Policies["ns[default]-policy[only-requests]-rule[0]"].Principals.Single())).ShouldBe(Json("""{"and_ids":{"ids":[{"any":true}]}}"""));
    }

    [Theory]
    [InlineData("9080", 41234u)]
    [InlineData("9081", 9081u)]
    [InlineData("41234", 0u)]
    public void Ports_of_policies_are_those_that_documents_declare(string written, uint expected)
    {
        var mesh = new TestMesh(TestDocuments.AuthorizationPolicy("p", $$$$$$"""{"rules":[{"to":[{"operation":{"ports":["{{{{{{written}}}}}}"]}}]}]}"""));

        var filter = Translator(mesh, new LocalPort(41234, [9080])).HttpFilters().Single().TypedConfig.Unpack<Rbac>();

        filter.Rules.Policies.Values.Single().Permissions.Single().AndRules.Rules.Single().OrRules.Rules.Single().DestinationPort.ShouldBe(expected);
    }

    private static AuthorizationTranslator Translator(TestMesh mesh, LocalPort? port = null)
        => new(mesh.Config.Policies.Of("default", new Dictionary<string, string>()), mesh.Config.Mesh.TrustDomains, port ?? new LocalPort(8080, []));

    private static Rbac[] Of(params ConfigResource[] policies) => [.. Translator(new TestMesh(policies)).HttpFilters().Select(filter => filter.TypedConfig.Unpack<Rbac>())];

    private static Rbac[] Filters(params string[] specs) => Of([.. specs.Select((spec, i) => TestDocuments.AuthorizationPolicy($"p{i}", spec))]);

    private static string Principal(string rule) => Json(TestMesh.Json(Filters($$$$$$"""{"rules":[{{{{{{rule}}}}}}]}""").Single().Rules.Policies.Single().Value.Principals.Single()));

    private static string Permission(string rule) => Json(TestMesh.Json(Filters($$$$$$"""{"rules":[{{{{{{rule}}}}}}]}""").Single().Rules.Policies.Single().Value.Permissions.Single()));

    /// <summary>The same layout for the same JSON.</summary>
    private static string Json(string json) => JsonNode.Parse(JsonFormatter.ToDiagnosticString(Google.Protobuf.WellKnownTypes.Struct.Parser.ParseJson(json)))!.ToJsonString();
}
