using System.Text.RegularExpressions;
using Mesh.Xds.Validation;

namespace Mesh.Xds.Tests.Wire;

/// <summary>The rules that are enforced are the published ones.</summary>
public sealed class WireRulesTests
{
    [Fact]
    public void Every_published_rule_of_a_message_of_xds_is_in_the_enforced_set()
    {
        using var reader = new StreamReader(typeof(WireRules).Assembly.GetManifestResourceStream(WireRules.ResourceName)!);
        var enforced = new HashSet<string>();
        var message = "";
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == ' ')
            {
                enforced.Add(message + line);
            }
            else
            {
                message = line;
            }
        }

        var published = WireFacts.All
            .Where(fact => !fact.Name.StartsWith("istio.", StringComparison.Ordinal))
            .Select(fact => fact with { Rules = Regex.Replace(fact.Rules, "^deprecated ?", "") })
            .Where(fact => fact.Kind == "oneof" || (fact.Kind == "field" && fact.Rules.Length > 0))
            .Select(fact => fact.Kind == "oneof" ? $"{fact.Name} !{fact.Member}" : $"{fact.Name} {fact.Member} {fact.Rules}")
            .ToHashSet();

        published.Count.ShouldBeGreaterThan(200);
        enforced.ShouldBe(published, ignoreOrder: true, "run tools/wire-rules");
    }

    [Fact]
    public void Every_rule_is_understood()
    {
        foreach (var name in WireFacts.All.Where(fact => fact.Kind == "message").Select(fact => fact.Name))
        {
            WireRules.Of(name);
        }

        WireRules.Of("envoy.config.route.v3.VirtualHost")!.Fields["domains"].MinCount.ShouldBe(1);
    }

    [Fact]
    public void A_rule_that_is_not_known_is_an_error() =>
        Should.Throw<FormatException>(() => FieldRulesParser.Parse("string { looks_nice: true }")).Message.ShouldContain("looks_nice");
}
