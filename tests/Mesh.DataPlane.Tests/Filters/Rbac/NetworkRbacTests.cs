using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Rules for connections.</summary>
public sealed class NetworkRbacTests
{
    private readonly FilterServices _services = new(TimeProvider.System, new SequenceRandomSource(0));
    private readonly ConnectionFacts _plain = new TestRequest().Connection!;

    [Fact]
    public void Connections_pass_by_address_port_and_peer()
    {
        using var authority = new TestCertificateAuthority();
        using var certificate = authority.Issue("spiffe://cluster.local/ns/shop/sa/frontend");
        var proven = RbacRuleTests.Proven(certificate);
        var filter = Compile(new Message { StatPrefix = "tcp.", Rules = RbacRules.One("ALLOW", """{"destination_port":9080}""", RbacRules.Peer("""{"suffix":"/frontend"}""")) });

        filter.Admits(proven).ShouldBeTrue();
        filter.Admits(_plain).ShouldBeFalse();
        Compile(new Message { StatPrefix = "tcp.", Rules = RbacRules.One("DENY", """{"destination_port":9080}""") }).Admits(proven).ShouldBeFalse();
        Compile(new Message { StatPrefix = "tcp.", Rules = new RBAC() }).Admits(proven).ShouldBeFalse();
        Compile(new Message { StatPrefix = "tcp." }).Admits(_plain).ShouldBeTrue();
    }

    [Fact]
    public async Task Decisions_are_counted_and_those_that_are_asked_for_again_are_not()
    {
        var filter = Compile(new Message
        {
            StatPrefix = "tcp.",
            Rules = RbacRules.One("DENY"),
            ShadowRules = RbacRules.One("ALLOW"),
            ShadowRulesStatPrefix = "dry_",
            DelayDeny = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)),
        });

        var metadata = new ConnectionMetadata();
        (await filter.JudgeAsync(_plain, metadata, _services, CancellationToken.None)).ShouldBeFalse();
        metadata.Details.ShouldBe("rbac_access_denied_matched_policy[p]");
        filter.Admits(_plain).ShouldBeFalse();

        metadata.Find("envoy.filters.network.rbac")!.ToJsonString().ShouldBe("""{"dry_shadow_engine_result":"allowed","dry_shadow_effective_policy_id":"p"}""");
        filter.RefusalDelay.ShouldBe(TimeSpan.FromSeconds(3));
        Counted().ShouldBe(["envoy_tcp_rbac_denied{prefix=\"\"} 1", "envoy_tcp_rbac_shadow_allowed{prefix=\"dry_\"} 1"]);
    }

    [Fact]
    public void What_is_said_of_requests_is_refused()
        => Should.Throw<ResourceRejectedException>(() => Compile(new Message { StatPrefix = "tcp.", Rules = RbacRules.One("DENY", """{"header":{"name":"x"}}""") }))
            .Field.ShouldBe("filters[0].typed_config.rules.policies[\"p\"].permissions[0].header");

    [Fact]
    public void Judging_for_as_long_as_a_connection_lasts_is_told_to_be_of_no_use()
    {
        var notes = new List<string>();
        Compile(new Message { StatPrefix = "tcp.", EnforcementType = Message.Types.EnforcementType.Continuous }, notes);
        notes.ShouldHaveSingleItem().ShouldContain("enforcement_type");
    }

    private IEnumerable<string> Counted() => Exposition.Lines(_services.Metrics, "envoy_tcp_rbac").Where(line => !line.EndsWith(" 0", StringComparison.Ordinal));

    private static NetworkFilter Compile(Message message, ICollection<string>? notes = null)
        => NetworkFilterCompiler.Compile(new Filter { Name = "envoy.filters.network.rbac", TypedConfig = Any.Pack(message) }, "filters[0]", notes ?? [])!;
}
