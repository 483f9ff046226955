using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config;

internal sealed record ConfigReaderOptions
{
    public static ConfigReaderOptions Default { get; } = new();

    /// <summary>Unknown fields are warnings instead of errors.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Lenient { get; init; }

    /// <summary>Says why a pattern is no RE2, or nothing when it is one. Absent, patterns are not checked here.</summary>
    public Func<string, string?>? CheckRegex { get; init; }

    public YamlLimits Limits { get; init; } = YamlLimits.Default;
}
