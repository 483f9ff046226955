namespace Mesh.EndToEnd.Tests.Dashboards.PromQl;

/// <summary>A part of an expression of Prometheus' query language.</summary>
internal abstract record PromQlNode
{
    /// <summary>A number or a text.</summary>
    internal sealed record Literal(string Text) : PromQlNode;

    /// <summary>One metric's series.</summary>
    internal sealed record Selector(string Metric, IReadOnlyList<Matcher> Matchers) : PromQlNode;

    /// <summary><c>sum by (a) (…)</c>; without a grouping there are no labels left.</summary>
    internal sealed record Aggregation(string Operator, bool IsWithout, IReadOnlyList<string> Labels, IReadOnlyList<PromQlNode> Arguments) : PromQlNode;

    internal sealed record Call(string Function, IReadOnlyList<PromQlNode> Arguments) : PromQlNode;

    /// <summary>An operation on two; <c>on</c> and <c>ignoring</c> name what the sides are matched by.</summary>
    internal sealed record Binary(string Operator, PromQlNode Left, PromQlNode Right, bool IsOn, IReadOnlyList<string> MatchedBy, IReadOnlyList<string> Included) : PromQlNode;

    internal sealed record Matcher(string Label, string Operator, string Value);

    /// <summary>This and everything below.</summary>
    public IEnumerable<PromQlNode> All()
        => Parts().SelectMany(part => part.All()).Prepend(this);

    private IEnumerable<PromQlNode> Parts() => this switch
    {
        Aggregation aggregation => aggregation.Arguments,
        Call call => call.Arguments,
        Binary binary => [binary.Left, binary.Right],
        _ => [],
    };
}
