using Envoy.Config.Rbac.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>What is not honoured is refused, with the place: an ALLOW policy that lost a condition allows too much.</summary>
public sealed class RbacRejectionTests
{
    [Theory]
    [InlineData("""{"header":{"name":"x","string_match":{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.RBAC"}}}}}""", "header.string_match.custom")]
    [InlineData("""{"header":{"name":"x","safe_regex_match":{"regex":"("}}}""", "header.safe_regex_match.regex")]
    [InlineData("""{"any":false}""", "any")]
    [InlineData("{}", "rule")]
    [InlineData("""{"and_rules":{}}""", "and_rules.rules")]
    [InlineData("""{"or_rules":{"rules":[{"not_rule":{"matcher":{"name":"m","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.RBAC"}}}}]}}""", "or_rules.rules[0].not_rule.matcher")]
    [InlineData("""{"uri_template":{"name":"m","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.RBAC"}}}""", "uri_template")]
    [InlineData("""{"destination_port":70000}""", "destination_port")]
    [InlineData("""{"destination_port_range":{"start":5,"end":5}}""", "destination_port_range")]
    [InlineData("""{"destination_port_range":{"start":-1,"end":5}}""", "destination_port_range")]
    [InlineData("""{"destination_ip":{"address_prefix":"10"}}""", "destination_ip.address_prefix")]
    [InlineData("""{"destination_ip":{"address_prefix":"10.0.0.0","prefix_len":33}}""", "destination_ip.prefix_len")]
    [InlineData("""{"destination_ip":{"address_prefix":"fe80::1%eth0"}}""", "destination_ip.address_prefix")]
    [InlineData("""{"sourced_metadata":{"metadata_matcher":{"filter":"f","path":[{"key":"k"}],"value":{"present_match":true}},"metadata_source":"ROUTE"}}""", "sourced_metadata.metadata_source")]
    public void Permissions(string permission, string place) => Rejected(RbacRules.One("ALLOW", permission), "permissions[0]." + place);

    [Theory]
    [InlineData("""{"filter_state":{"key":"other","string_match":{"exact":"x"}}}""", "filter_state.key")]
    [InlineData("""{"filter_state":{"key":"io.istio.peer_principal","address_match":{"ranges":[{"address_prefix":"10.0.0.0"}]}}}""", "filter_state.address_match")]
    [InlineData("""{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.RBAC"}}}""", "custom")]
    [InlineData("""{"custom":{"name":"c","typed_config":{"@type":"type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config"}}}""", "custom.typed_config")]
    [InlineData("""{"authenticated":{"principal_name":{}}}""", "authenticated.principal_name.match_pattern")]
    [InlineData("""{"and_ids":{"ids":[{"not_id":{"remote_ip":{"address_prefix":"x"}}}]}}""", "and_ids.ids[0].not_id.remote_ip.address_prefix")]
    public void Principals(string principal, string place) => Rejected(RbacRules.One("ALLOW", principal: principal), "principals[0]." + place);

    [Fact]
    public void Conditions_in_CEL()
    {
        Rejected(With(p => p.Condition = new()), "condition");
        Rejected(With(p => p.CheckedCondition = new()), "checked_condition");
        Rejected(With(p => p.CelConfig = new()), "cel_config");
    }

    [Fact]
    public void Empty_lists()
    {
        Rejected(With(p => p.Permissions.Clear()), "permissions");
        Rejected(With(p => p.Principals.Clear()), "principals");
    }

    [Fact]
    public void Fields_that_nobody_here_has_heard_of()
    {
        var body = new RBAC { Action = RBAC.Types.Action.Deny }.ToByteArray().Concat(new byte[] { 0x98, 0x06, 0x01 }).ToArray();
        var error = Should.Throw<ResourceRejectedException>(() => Mesh.DataPlane.Resources.WireMessage.Validate(RBAC.Parser.ParseFrom(body), ByteString.CopyFrom(body), RBAC.Parser, "rules"));
        error.Field.ShouldBe("rules");
    }

    [Fact]
    public void A_record_of_decisions_that_is_not_optional()
    {
        var rules = RbacRules.One("ALLOW");
        rules.AuditLoggingOptions = new() { AuditCondition = RBAC.Types.AuditLoggingOptions.Types.AuditCondition.OnDeny, LoggerConfigs = { new RBAC.Types.AuditLoggingOptions.Types.AuditLoggerConfig { AuditLogger = new() { Name = "stdout", TypedConfig = Any.Pack(new RBAC()) } } } };
        Should.Throw<ResourceRejectedException>(() => RbacRules.Compile(rules)).Field.ShouldBe("rules.audit_logging_options.logger_configs[0].audit_logger");

        rules.AuditLoggingOptions.LoggerConfigs[0].IsOptional = true;
        RbacRules.Compile(rules);
    }

    [Theory]
    [InlineData("""{"header":{"name":"x"}}""")]
    [InlineData("""{"url_path":{"path":{"exact":"/"}}}""")]
    [InlineData("""{"not_rule":{"url_path":{"path":{"exact":"/"}}}}""")]
    public void Conditions_on_requests_where_there_are_connections_only(string permission)
        => Should.Throw<ResourceRejectedException>(() => RbacRules.Compile(RbacRules.One("DENY", permission), isHttp: false)).Reason.ShouldContain("requests");

    private static RBAC With(Action<Policy> change)
    {
        var rules = RbacRules.One("ALLOW");
        change(rules.Policies["p"]);
        return rules;
    }

    private static void Rejected(RBAC rules, string place)
    {
        var error = Should.Throw<ResourceRejectedException>(() => RbacRules.Compile(rules));
        error.Field.ShouldBe("rules.policies[\"p\"]." + place);
    }
}
