namespace Mesh.EndToEnd.Tests.Dashboards.PromQl;

public sealed class PromQlParserTests
{
    [Theory]
    [InlineData("up", "up")]
    [InlineData("sum(rate(a_total{x=\"1\",y=~\"a|b\"}[5m])) by (x, z)", "sum by(x,z)[rate(a_total{x,y})]")]
    [InlineData("sum by (x) (rate(a_total[5m] offset 1h))", "sum by(x)[rate(a_total)]")]
    [InlineData("sum(a) / on (x) group_left (y) sum without (z) (b) > bool 0.5", "((sum by()[a] / on(x) group(y) sum without(z)[b]) > 0.5)")]
    [InlineData("histogram_quantile(0.95, sum(rate(h_bucket[1m])) by (le))", "histogram_quantile(0.95,sum by(le)[rate(h_bucket)])")]
    [InlineData("(a OR b) and c unless {__name__=~\"d\"}", "(((a OR b) and c) unless {__name__})")]
    [InlineData("topk(5, -a ^ 2 + 3 * b)", "topk by()[5,((a ^ 2) + (3 * b))]")]
    [InlineData("max_over_time(rate(a{b='\\'', c!=`}`}[1m])[30m:1m])", "max_over_time(rate(a{b,c}))")]
    [InlineData("label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")", "label_replace(a,x,$1,y,(.*))")]
    public void Reads(string text, string expected) => Show(PromQlParser.Parse(text)).ShouldBe(expected);

    [Theory]
    [InlineData("")]
    [InlineData("sum(a")]
    [InlineData("a{x=1}")]
    [InlineData("a{x>\"1\"}")]
    [InlineData("a b")]
    [InlineData("sum(a) by x")]
    [InlineData("a{x=\"1}")]
    [InlineData("a;b")]
    public void Refuses(string text) => Should.Throw<FormatException>(() => PromQlParser.Parse(text));

    private static string Show(PromQlNode node) => node switch
    {
        PromQlNode.Literal literal => literal.Text,
        PromQlNode.Selector selector => selector.Metric + (selector.Matchers.Count == 0 ? "" : $"{{{string.Join(',', selector.Matchers.Select(m => m.Label))}}}"),
        PromQlNode.Aggregation a => $"{a.Operator} {(a.IsWithout ? "without" : "by")}({string.Join(',', a.Labels)})[{string.Join(',', a.Arguments.Select(Show))}]",
        PromQlNode.Call call => $"{call.Function}({string.Join(',', call.Arguments.Select(Show))})",
        PromQlNode.Binary b => $"({Show(b.Left)} {b.Operator}"
            + (b.MatchedBy.Count == 0 ? "" : $" {(b.IsOn ? "on" : "ignoring")}({string.Join(',', b.MatchedBy)})")
            + (b.Included.Count == 0 ? "" : $" group({string.Join(',', b.Included)})") + $" {Show(b.Right)})",
        _ => throw new InvalidOperationException(),
    };
}
