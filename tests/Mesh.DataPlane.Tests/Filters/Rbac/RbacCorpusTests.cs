using Envoy.Config.Rbac.V3;
using Mesh.DataPlane.Filters.Rbac;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

public sealed class RbacCorpusTests
{
    public static TheoryData<string> Kinds => [.. RbacCorpus.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Of_a_thousand_policies_none_is_looked_at_that_cannot_match_and_no_memory_is_used(string last)
    {
        foreach (var action in new[] { RBAC.Types.Action.Allow, RBAC.Types.Action.Deny })
        {
            var engine = RbacRules.Compile(RbacCorpus.Create(last, action));
            var request = new TestRequest(RbacCorpus.Path, RbacCorpus.Method, RbacCorpus.Authority) { Connection = RbacCorpus.Connect() }.With("x-tenant", RbacCorpus.Tenant);

            engine.Unindexed.ShouldBe(0);
            request.Decide(engine).Policy.ShouldBe("ns[shop]-policy[z]-rule[0]");
            Allocations.Of(_ => request.Decide(engine)).ShouldBe(0);
        }
    }

    [Fact]
    public void Policies_that_cannot_be_found_are_asked_one_by_one_and_use_no_memory_either()
    {
        var engine = RbacRules.Compile(RbacCorpus.CreateUnindexable());
        var request = new TestRequest(RbacCorpus.Path) { Connection = null };

        engine.Unindexed.ShouldBe(RbacCorpus.Size);
        request.Decide(engine).Policy.ShouldBe("p0999");
        Allocations.Of(_ => request.Decide(engine)).ShouldBe(0);
    }

    [Fact]
    public void A_policy_is_found_by_the_condition_that_is_rarest()
    {
        // All are for one principal: their paths tell them apart.
        var rules = new RBAC();
        for (var i = 0; i < 100; i++)
        {
            rules.Policies[$"p{i}"] = RbacRules.One("ALLOW", RbacRules.Path($"/{i}"), RbacRules.Peer($$$$$"""{"exact":"{{{{{RbacCorpus.Peer}}}}}"}""")).Policies["p"];
        }

        var costs = new RbacKeyCosts();
        var path = new RbacKey(RbacKeyKind.Path, "", "/1", IsPrefix: false, IgnoreCase: false);
        var peer = path with { Kind = RbacKeyKind.Principal, Text = RbacCorpus.Peer };
        for (var i = 0; i < 100; i++)
        {
            costs.Add(peer);
        }

        costs.Add(path);
        RbacKeySet.Cheapest([costs.SetOf(peer), costs.SetOf(path)])!.Keys.ShouldBe([path]);
        new TestRequest("/42") { Connection = RbacCorpus.Connect() }.Decide(RbacRules.Compile(rules)).Policy.ShouldBe("p42");
    }
}
