namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Bounds on what a control plane can make this process compile.</summary>
internal sealed record Re2Options
{
    public static readonly Re2Options Default = new();

    /// <value>The default value is 32,768 UTF-16 units.</value>
    public int MaxPatternLength { get; init; } = 32_768;

    /// <summary>Limit of the estimated RE2 program size, Envoy's <c>re2.max_program_size.error_level</c>.</summary>
    /// <value>The default value is 32,768, which is what Istio's bootstrap sets; Envoy's own default of 100 refuses everyday patterns.</value>
    public int MaxProgramSize { get; init; } = 32_768;

    /// <summary>Limit of nested parentheses.</summary>
    /// <value>The default value is 1,000.</value>
    public int MaxNestingDepth { get; init; } = 1_000;
}
