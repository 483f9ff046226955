using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config;

internal sealed record ConfigReaderOptions
{
    public static ConfigReaderOptions Default { get; } = new();

    /// <summary>Unknown fields are warnings instead of errors.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Lenient { get; init; }

    /// <summary>Says why a pattern is no RE2, or nothing when it is one.</summary>
    /// <value>By default what this mesh's data planes say.</value>
    public Func<string, string?> CheckRegex { get; init; } = DataPlaneTexts.ProblemOfRegex;

    /// <summary>Says why a text is no expression in CEL that a data plane reads, or nothing when it is one.</summary>
    /// <value>By default what this mesh's data planes say.</value>
    public Func<string, string?> CheckExpression { get; init; } = DataPlaneTexts.ProblemOfExpression;

    public YamlLimits Limits { get; init; } = YamlLimits.Default;
}
