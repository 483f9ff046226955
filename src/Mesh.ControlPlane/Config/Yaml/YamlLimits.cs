namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>What a text may cost before it is refused.</summary>
internal sealed record YamlLimits
{
    public static YamlLimits Default { get; } = new();

    /// <value>The default value is 8 Mi characters.</value>
    public int MaxCharacters { get; init; } = 8 * 1024 * 1024;

    /// <summary>How deep lists and mappings nest, aliases written out.</summary>
    /// <value>The default value is 64.</value>
    public int MaxDepth { get; init; } = 64;

    /// <summary>How many documents a text has.</summary>
    /// <value>The default value is 10,000.</value>
    public int MaxDocuments { get; init; } = 10_000;

    /// <summary>How many nodes a text has.</summary>
    /// <value>The default value is 1,000,000.</value>
    public int MaxNodes { get; init; } = 1_000_000;

    /// <summary>How many nodes one document has when every alias is written out.</summary>
    /// <value>The default value is 500,000.</value>
    public int MaxExpandedNodes { get; init; } = 500_000;

    /// <summary>How many items one list or mapping has.</summary>
    /// <value>The default value is 50,000.</value>
    public int MaxItems { get; init; } = 50_000;

    /// <summary>How many errors one text is told.</summary>
    /// <value>The default value is 100.</value>
    public int MaxErrors { get; init; } = 100;
}
